/** Numbers as people read them, the same in every locale. */
export const grouped = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 });

export const milliseconds = (ms: number): string => {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  return ms < 60_000 ? `${(ms / 1_000).toFixed(2)} s` : `${(ms / 60_000).toFixed(1)} min`;
};

/** Small prices keep the digits that matter. */
export const dollars = (usd: number): string =>
  usd === 0 ? '$0' : usd < 0.01 ? `$${Number(usd.toPrecision(3)).toString()}` : `$${usd.toFixed(4)}`;

export const nanoUsd = (nano: number): string => dollars(nano / 1e9);

export const bytes = (count: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  return `${step === 0 ? count : (count / 1024 ** step).toFixed(1)} ${units[step] ?? ''}`;
};

/** A part kept in millionths, as a share of one. */
export const micro = (value: number): string => (value / 1e6).toFixed(3);

/** A share of one, without digits that say nothing. */
export const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
