/** Arms side by side: `--arm-1` and so on, in both schemes. */
const onLight = ['#0550ae', '#bc4c00', '#116329', '#8250df', '#bf3989', '#0b7a75', '#7d4e00', '#6e7781'];
const onDark = ['#6cb6ff', '#f69d50', '#56d364', '#d2a8ff', '#ff7eb6', '#5eead4', '#e3b341', '#9aa4ae'];
export const armColors = onLight.length;
const ofArms = (colors: readonly string[]): string => colors.map((color, i) => `--arm-${i + 1}: ${color};`).join(' ');

/** The page's style sheet. Colours are variables, used by the charts too; contrast of text is at least 4.5 to 1, of lines in charts 3 to 1, in both schemes. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --muted: #57606a; --line: #d8dee4; --wash: #f6f8fa; --shade: #e9f5ec;
  --better: #116329; --worse: #a40e26; --unsure: #7d4e00; --refused: #57606a;
  --anytime: #0550ae; --asymptotic: #bc4c00; --fixed-size: #6e7781; --candidate: #0550ae; --logger: #bc4c00;
  ${ofArms(onLight)}
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --muted: #9aa4ae; --line: #30363d; --wash: #161b22; --shade: #12261a;
    --better: #56d364; --worse: #ff8f89; --unsure: #e3b341; --refused: #9aa4ae;
    --anytime: #6cb6ff; --asymptotic: #f69d50; --fixed-size: #9aa4ae; --candidate: #6cb6ff; --logger: #f69d50;
    ${ofArms(onDark)}
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p, ul, ol { max-width: 46rem; }
a { color: var(--anytime); }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
.kind, .small, caption, dt, figcaption { color: var(--muted); }
.kind { margin: 0 0 .25rem; }
.small { font-size: .875rem; }
.lead { font-size: 1.1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; max-width: none; font-size: .9rem; }
.verdict { border: 1px solid var(--line); border-left: .4rem solid var(--tone); border-radius: .4rem; padding: .25rem 1.1rem .5rem; margin: 1rem 0; break-inside: avoid; }
.verdict h3 { font-size: 1.15rem; margin-top: .75rem; }
.verdict.better { --tone: var(--better); }
.verdict.worse { --tone: var(--worse); }
.verdict.unsure { --tone: var(--unsure); }
.verdict.refused { --tone: var(--refused); }
.badge { color: var(--tone); border: 1px solid var(--tone); border-radius: 1rem; padding: .05rem .6rem; margin-right: .4rem; font-size: .9rem; white-space: nowrap; }
.sentence { font-size: 1.05rem; }
.forced p, .reasons p { margin-bottom: 0; font-weight: 600; }
.forced p { color: var(--worse); }
.warnings { border-left: .2rem solid var(--unsure); background: var(--wash); padding: .1rem 1rem; margin: .75rem 0; }
.warnings h3 { margin-top: .5rem; }
.warnings ul, .forced ul, .reasons ul { padding-left: 1.2rem; margin: .5rem 0; }
ul.notes { margin: .25rem 0; padding-left: 1.2rem; }
.facts, .promises { margin: .75rem 0; }
.facts div, .promises div { display: grid; grid-template-columns: 12rem 1fr; gap: 0 1rem; padding: .2rem 0; }
.facts dd, .promises dd { margin: 0; }
.promises dt { color: var(--ink); font-weight: 600; }
.command, .data { background: var(--wash); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; white-space: pre-wrap; }
.data { max-height: 30rem; overflow: auto; }
.scroll { overflow-x: auto; margin: .75rem 0; }
figure { margin: .5rem 0; }
.chart { display: block; width: 100%; min-width: 34rem; height: auto; }
table { border-collapse: collapse; min-width: min(100%, 26rem); font-size: .875rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; padding-bottom: .35rem; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 0 .3rem .9rem; border-bottom: 1px solid var(--line); }
th:first-child { padding-left: 0; }
thead th { vertical-align: bottom; font-weight: 600; }
tbody th { font-weight: 500; min-width: 8rem; max-width: 16rem; overflow-wrap: anywhere; }
.number { text-align: right; }
td.number { white-space: nowrap; }
.promise { font-weight: 400; white-space: nowrap; color: var(--muted); }
.promise.anytime { color: var(--anytime); }
.promise.asymptotic { color: var(--asymptotic); }
.recommended { font-size: .8rem; color: var(--better); white-space: nowrap; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .2rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; list-style: none; padding: 0; font-size: .9rem; }
.swatch { display: inline-block; width: 1.8rem; vertical-align: middle; margin-right: .5rem; border-top: 3px solid; }
.swatch.anytime { border-color: var(--anytime); border-top-width: 5px; }
.swatch.asymptotic { border-color: var(--asymptotic); }
.swatch.fixed-size { border-color: var(--fixed-size); border-top-width: 1.5px; }
.swatch.candidate { border-color: var(--candidate); }
.swatch.logger { border-color: var(--logger); border-top-style: dashed; }
${onLight.map((_, i) => `.swatch.arm-${i + 1} { border-color: var(--arm-${i + 1}); border-top-width: 8px; }`).join('\n')}
.sources { font-size: .875rem; }
:focus-visible { outline: 2px solid var(--anytime); outline-offset: 2px; }
@media (max-width: 40rem) { .facts div, .promises div { grid-template-columns: 1fr; } }
@page { size: landscape; margin: 14mm; }
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --ink: #000000; --muted: #444444; --line: #bbbbbb; --wash: #ffffff; --shade: #eeeeee;
    --better: #116329; --worse: #a40e26; --unsure: #7d4e00; --refused: #444444;
    --anytime: #0550ae; --asymptotic: #bc4c00; --fixed-size: #6e7781; --candidate: #0550ae; --logger: #bc4c00;
    ${ofArms(onLight)}
  }
  body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact; }
  nav, #data { display: none; }
  .scroll { overflow: visible; }
  .chart { min-width: 0; max-width: 20cm; }
  table { font-size: 7pt; }
  th, td { padding-left: .5rem; }
  h2, h3, caption, summary { break-after: avoid; }
  figure, tr { break-inside: avoid; }
}
`;
