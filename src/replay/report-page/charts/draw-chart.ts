import type { Config, TopLevelSpec } from 'vega-lite';
import { html, presentable, verbatim, type Html } from '../html.ts';

/**
 * Charts are Vega-Lite specifications, drawn to SVG here and now: the page holds no script. The library is loaded when the first chart is drawn, as nothing else of the product needs it.
 *
 * 1. Colours are variables of the page's style sheet, so that one drawing is right in light, in dark and on paper.
 * 2. Nothing is clipped, filled with a gradient or otherwise referred to by id: ids would have to be unique on the page.
 * 3. What the picture says is said in its description, and with figures in a table beside it.
 */
export type Chart = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly spec: LayeredSpec;
};

type LayeredSpec = Extract<TopLevelSpec, { readonly layer: unknown }>;

const chartWidth = 720;

const axis = {
  labelColor: 'var(--muted)',
  labelFontSize: 12,
  labelOverlap: false,
  titleColor: 'var(--ink)',
  titleFontSize: 12,
  titleFontWeight: 400,
  titlePadding: 8,
  gridColor: 'var(--line)',
  domainColor: 'var(--line)',
  tickColor: 'var(--line)',
} as const;

const config: Config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  aria: false,
  view: { stroke: null },
  axis,
  text: { color: 'var(--ink)', fontSize: 11 },
};

export const drawChart = async ({ id, title, description, spec }: Chart): Promise<Html> => {
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const fitted: LayeredSpec = { autosize: { type: 'fit-x', contains: 'padding' }, width: chartWidth, ...spec, config };
  const view = new View(parse(compile(fitted).spec), { renderer: 'none' });
  try {
    const svg = await view.toSVG();
    const size = /^<svg [^>]*?(viewBox="[^"]*")>/.exec(svg);
    if (size === null) throw new TypeError(`expected a drawing that starts with its size, got ${svg.slice(0, 200)}`);
    return html`<svg class="chart" role="img" aria-labelledby="${id}-title ${id}-description" ${verbatim(size[1] ?? '')}>
      <title id="${id}-title">${title}</title>
      <desc id="${id}-description">${description}</desc>
      ${verbatim(svg.slice(size[0].length, -'</svg>'.length))}
    </svg>`;
  } finally {
    view.finalize();
  }
};

/** Labels of an axis, so many of them that they stand clear of each other: the others are empty. */
export const thinned = <Label>(labels: readonly Label[], most: number): readonly (Label | '')[] => {
  const step = Math.ceil(labels.length / most);
  return labels.map((label, i) => (i % step === 0 ? label : ''));
};

/** For labels in drawings, which are not wrapped: no wider than so many columns. */
export const shortened = (text: string, columnsMost: number): string => {
  const shown = presentable(text).replace(/\s+/g, ' ');
  if (columnsOf(shown) <= columnsMost) return shown;
  let kept = '';
  for (const character of charactersOf(shown)) {
    if (columnsOf(kept + character) >= columnsMost) break;
    kept += character;
  }
  return `${kept}…`;
};

/** Scripts of eastern Asia and pictures are twice as wide. */
export const columnsOf = (text: string): number =>
  charactersOf(text).reduce((columns, character) => columns + ((character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2), 0);

const charactersOf = (text: string): readonly string[] => Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment);
