import type { RequestLanguage } from '../../../events/schemas/features.ts';
import { foldOf } from './characters.ts';
import { fnvOffset, fnvStep } from './fnv.ts';
import { sign, type Sign } from './signs.ts';

/**
 * The words that the scanner knows, in English, German, French and Spanish, with a few of Italian, Portuguese, Dutch, Russian, Chinese and Japanese. An underscore joins two
 * words to a phrase; in scripts without spaces each letter is a word. General words of requests only: names of tasks, tenants or benchmarks have no place here.
 */
const signWords: Readonly<Partial<Record<Sign, string>>> = {
  quantity:
    'how_many how_much how_long how_far how_old how_fast how_tall what_percent what_percentage wie_viele wie_viel wieviel wieviele wie_lange wie_weit combien cuánto cuántos cuánta cuántas quanto quanti quantos quantas hoeveel сколько ile 多_少 几_个 い_く',
  amount:
    'total altogether average remaining left each per difference sum cost costs earn spend spent profit price times twice half double percent speed age older younger more fewer insgesamt jeder jede jeweils durchschnitt kosten kostet chacun chaque prix coûte moyenne cada cuesta precio promedio',
  number:
    'one two three four five six seven eight nine ten eleven twelve dozen hundred thousand zwei drei vier fünf sechs sieben acht neun zehn deux trois quatre cinq sept huit dix dos tres cuatro cinco seis siete ocho diez',
  option:
    'option options choice choices alternatives which_of optionen antworten antwortmöglichkeiten opciones respuestas réponses propositions',
  explain:
    'explain explains explanation explanations justify justification rationale reasoning erkläre erklären begründe begründung erklärung explique expliquer expliquez justifie justifiez explica explicar justifica razona spiega объясни 解_释 説_明',
  blank: 'blank blanks fill_in missing_word complete_the lücke lücken ergänze vervollständige complète complétez completa rellena',
  programming:
    'python javascript typescript java rust golang kotlin php sql mysql postgresql sqlite html css bash regex regexp pandas numpy django react nodejs npm docker kubernetes git github api json yaml compiler async stdin stdout api_key',
  program:
    'function functions program programs code script scripts query queries algorithm class method implementation unit_test unit_tests endpoint schema macro component funktion programm skript klasse fonction programme requête función programa consulta 函_数 代_码',
  defect:
    'error errors exception exceptions bug bugs traceback stack_trace segfault crash crashes undefined debug debugging fehler fehlermeldung ausnahme erreur error_message 错_误',
  write:
    'write create generate implement develop build make compose draft design produce give_me tell_me invent code refactor schreib schreibe schreiben erstelle erzähl erzähle verfasse entwickle programmiere écris écrivez écrire rédige rédigez crée créez invente raconte génère escribe escribir escriba crea genera redacta inventa cuenta cuéntame scrivi crea escreva schrijf напиши 写_一 编_写 書_い',
  creative:
    'poem poems poetry haiku limerick sonnet story stories tale novel song lyrics essay screenplay dialogue monologue slogan tagline joke jokes speech blog toast riddle ballad gedicht geschichte märchen lied witz rede reim poème histoire conte chanson blague poema cuento historia canción chiste poesia racconto стихотворение 故_事 诗_歌 首_诗',
  translate:
    'translate translates translation übersetze übersetzen übersetz übersetzung traduis traduisez traduire traduction traduce traducir traduzca traducción traduci traduza traduzir vertaal переведи 翻_译 翻_訳',
  summarise:
    'summarize summarise summary summarizing tldr tl_dr key_points main_points in_short fasse zusammenfassung zusammenfassen zusammen_fassen résume résumez résumé résumer resume resumir resumen riassumi samenvatting 总_结 摘_要 要_約',
  extract:
    'extract extracting classify classification categorize categorise category label sentiment entities named_entities tag identify detect spam keywords extrahiere extrahieren klassifiziere klassifizieren kategorisiere extrais extrayez extraire classifie classifiez extrae extraer clasifica clasificar sentimiento 分_类 提_取',
  rewrite:
    'rewrite rewriting rephrase reword paraphrase proofread edit correct improve shorten polish simplify_this fix_the formuliere umformulieren korrigiere korrigieren verbessere kürze reformule reformulez corrige corrigez améliore reescribe reformula corrija mejora 改_写 润_色',
  order:
    'sort sorting rank arrange reorder alphabetically alphabetical chronologically chronological ascending descending sortiere sortieren ordne alphabetisch trie triez ordre_alphabétique ordena ordenar alfabético alfabéticamente 排_序',
  mathematics:
    'solve solved equation equations integral integrals derivative polynomial theorem prove proof matrix matrices eigenvalue logarithm determinant probability factorial vector hypotenuse radius perimeter differentiate integrate calculate compute löse gleichung ableitung beweise berechne wahrscheinlichkeit résous résoudre équation dérivée démontre calcule intégrale resuelve ecuación derivada demuestra calcula 方_程 计_算',
  reasoning:
    'why explain prove derive analyse analyze analysis compare contrast evaluate justify reason reasoning deduce infer argue conclude therefore hence implies imply assume suppose consider consequently unless tradeoffs pros_and step_by necessarily sufficient optimal strategy design diagnose critique warum erkläre analysiere vergleiche begründe beweise pourquoi explique analyse compare démontre explica analiza compara demuestra justifica por_qué',
  demanding:
    'prove proof proofs derive derivation design architect architecture implement implementation optimise optimize optimal refactor debug diagnose analyse analyze analysis evaluate critique justify formalise formalize simulate synthesise synthesize reconcile investigate estimate migrate verify trade_offs tradeoffs trade_off tradeoff rigorous rigorously formal formally comprehensive thorough thoroughly in_depth detailed edge_cases fault_tolerant distributed concurrent concurrency concurrently scalable scalability invariant invariants theorem complexity asymptotic hypothesis hypotheses counterexample constraints requirements strategy strategic implications assumptions limitations failure_modes entwirf entwerfe entwerfen beweise beweis herleiten leite_her implementiere implementierung optimiere analysiere bewerte begründe architektur nebenläufig verteiltes verteilte vollständige vollständig ausführlich abwägung conçois concevez démontre démontrez prouve dérive implémente implémentez optimise optimisez analysez évalue évaluez rigoureusement architecture_d détaillée diseña diseñe demuestra demuestre deriva implementa optimiza analiza evalúa justifica rigurosamente arquitectura distribuido detallado 证_明 设_计 推_导 分_析 証_明 設_計',
  step: 'first second third fourth then next finally afterwards lastly step steps also additionally furthermore after_that zuerst danach dann schließlich schritt schritte premièrement ensuite puis enfin étape étapes primero luego después finalmente paso pasos',
  interrogative:
    'who whom whose what when where which why how wer wen wem was wann wo wohin woher welche welcher welches warum wieso weshalb wie qui quoi quand où pourquoi comment quel quelle quels quelles lequel quién quiénes qué cuándo dónde cómo cuál cuáles chi cosa quando dove come quem onde como wie wat wanneer waar hoe кто что когда где почему как co kto gdzie kiedy jak kim ne nerede nasıl 什_么 谁 哪 为_什 怎_么 何 誰 な_ぜ',
  polar:
    'is are was were am do does did can could should would will has have had may must isn aren doesn don didn ist sind war waren hat haben kann können darf soll sollte wird muss gibt est_ce es_tu avez as_tu peut_on es son está están fue hay puede puedo tiene debe',
  open: 'why how describe discuss compare contrast elaborate outline advise recommend suggest brainstorm explain warum wieso wie beschreibe vergleiche empfiehl erkläre pourquoi comment décris décrivez compare recommande explique expliquez describe compara recomienda explica cómo por_qué почему как 为_什 怎_么 な_ぜ',
  greeting:
    'hi hello hey thanks thank_you bye goodbye good_morning good_evening welcome hallo danke tschüss guten_morgen guten_tag servus bonjour bonsoir merci salut hola gracias buenos_días buenas adiós ciao grazie olá obrigado привет спасибо 你_好 谢_谢 こ_ん あ_り',
  polite:
    'please kindly can_you could_you would_you will_you you_to help_me let_s bitte kannst_du könntest_du können_sie könnten_sie peux_tu pouvez_vous pourriez_vous por_favor puedes podrías puede_usted 请 请_你',
  keyword: 'def function class struct interface const let var import from using package select',
  tex: 'frac sum int sqrt begin cdot times',
};

/** The commonest words of languages in Latin script. Many belong to several; the language with most of them wins. */
const stopWords: Readonly<Partial<Record<RequestLanguage, string>>> = {
  en: 'the of and to in is are was were that it for on with as at by this be have from or an not you your which what who when where why how can could would should do does did they he she his her their there if will has had my me i we us write find between following please all about into than then make explain hello hi thanks',
  de: 'der die das und ist nicht ein eine einen einem einer eines zu mit auf für von im dem den des sich auch wie was wer wo warum ich du er sie es wir ihr sind war hat haben kann können bitte oder aber wenn dass bei nach aus um über noch nur mir mich dir dich mein meine dein deine diesen diese dieses folgenden schreibe übersetze hallo danke viele',
  fr: 'le la les un une des du de et est en que qui dans pour pas sur au aux avec ce cette ces il elle je tu nous vous ils elles ne se son sa ses par plus ou mais comment pourquoi quel quelle sont être avoir fait moi mon ma mes ton ta suivant suivante texte écris bonjour merci combien quelle',
  es: 'el la los las un una unos unas de del y es en que qué por para con no se su sus lo al como cómo más pero este esta estos son fue está yo tú él ella nosotros mi mis me te cuál quién dónde cuándo cuántos cuántas si escribe siguiente texto hola gracias muy',
  it: 'il lo la gli le un una di del della che è e in per con non si sono come più ma questo questa dei nel alla chi cosa dove quando perché mi ti scrivi ciao grazie seguente io',
  pt: 'o a os as um uma de do da dos das e é em que para com não se por mais mas como são foi no na ao você eu ele ela isso este esta meu minha qual quem onde quando escreva olá obrigado seguinte',
  nl: 'de het een en van ik je dat niet is op te zijn voor met die aan er maar om ook als dan hij ze wat waar wie hoe bij uit naar deze dit heeft kan mijn schrijf vertaal hallo bedankt volgende',
  pl: 'i w na z do nie się że jest to jak co po za od dla przez ale czy o tak jego jej ich są był była który która mnie proszę napisz cześć dziękuję ile gdzie kiedy',
  tr: 've bir bu için ile da de ne mi mı çok daha gibi ben sen o biz siz var yok olarak kadar nasıl neden nerede kim lütfen merhaba teşekkürler hangi yaz',
};

/** Languages with stop words; bit i of a word's languages stands for number i. */
export const latinLanguages: readonly RequestLanguage[] = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'tr'];

/** Hash of a word, as the scanner makes it: each letter folded, each digit `0`. */
export const wordHashOf = (word: string): number => {
  let hash = fnvOffset;
  for (let i = 0; i < word.length; i++) hash = fnvStep(hash, foldOf(word.charCodeAt(i)));
  return hash;
};

/** Hash of a phrase of two words, given the hashes of the words. */
export const phraseHashOf = (first: number, second: number): number => fnvStep(first, second);

type Entry = { word: string; signs: number; languages: number };

const collectEntries = (): ReadonlyMap<number, Entry> => {
  const entries = new Map<number, Entry>();
  const add = (hash: number, word: string, signs: number, languages: number) => {
    const entry = entries.get(hash) ?? { word, signs: 0, languages: 0 };
    if (entry.word !== word) throw new RangeError(`expected words of different hashes, got "${entry.word}" and "${word}" with the same`);
    entries.set(hash, { word, signs: entry.signs | signs, languages: entry.languages | languages });
  };
  for (const [name, words] of Object.entries(signWords) as [Sign, string][]) {
    for (const word of words.split(' ')) {
      const [first = '', second] = word.split('_');
      if (second === undefined) add(wordHashOf(word), word, sign[name], 0);
      else {
        add(wordHashOf(first), first, sign.phrase, 0);
        add(phraseHashOf(wordHashOf(first), wordHashOf(second)), word, sign[name], 0);
      }
    }
  }
  for (const [index, language] of latinLanguages.entries()) {
    for (const word of (stopWords[language] ?? '').split(' ')) add(wordHashOf(word), word, 0, 1 << index);
  }
  return entries;
};

// Open addressing over typed arrays: a look-up is a few steps and makes no string. A word of a prompt that shares its 32-bit hash with a word here (about 1 in 3 million) is
// taken for it; so little harm needs no second look.
const slotCount = 4_096;
const keys = new Int32Array(slotCount);
const signsBySlot = new Int32Array(slotCount);
const languagesBySlot = new Int32Array(slotCount);

const firstSlotOf = (hash: number): number => (hash ^ (hash >>> 15)) & (slotCount - 1);

/** Slot of a hash; the slot is empty (no signs, no languages) where the lexicon does not know the word. */
export const slotOf = (hash: number): number => {
  let slot = firstSlotOf(hash);
  while (keys[slot] !== 0 && keys[slot] !== hash) slot = (slot + 1) & (slotCount - 1);
  return slot;
};
export const signsAt = (slot: number): number => signsBySlot[slot] ?? 0;
export const languagesAt = (slot: number): number => languagesBySlot[slot] ?? 0;

const entries = collectEntries();
for (const [hash, entry] of entries) {
  const slot = slotOf(hash);
  keys[slot] = hash;
  signsBySlot[slot] = entry.signs;
  languagesBySlot[slot] = entry.languages;
}
