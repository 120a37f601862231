/**
 * How an answer came: when its first text arrived, the longest pause, how much there was. Times are given, in ms since 1970; pauses count from the
 * first part on, and only while a part is waited for: how long the reader takes over one is not the model's doing. The object belongs to the one request
 * and is changed in place.
 */
export type Progress = {
  readonly startedAtMs: number;
  firstPartAtMs: number | null;
  lastPartAtMs: number;
  longestStallMs: number;
  /** Time in which the reader held parts. */
  heldMs: number;
  parts: number;
  characters: number;
};

export const beginProgress = (startedAtMs: number): Progress => ({
  startedAtMs,
  firstPartAtMs: null,
  lastPartAtMs: startedAtMs,
  longestStallMs: 0,
  heldMs: 0,
  parts: 0,
  characters: 0,
});

export const observePart = (progress: Progress, characters: number, atMs: number): void => {
  if (progress.firstPartAtMs === null) progress.firstPartAtMs = atMs;
  else progress.longestStallMs = Math.max(progress.longestStallMs, atMs - progress.lastPartAtMs);
  progress.lastPartAtMs = atMs;
  progress.parts++;
  progress.characters += characters;
};

/** The reader has taken the last part and asks for the next. */
export const observeTaken = (progress: Progress, atMs: number): void => {
  progress.heldMs += Math.max(0, atMs - progress.lastPartAtMs);
  progress.lastPartAtMs = atMs;
};

export type StreamFigures = {
  readonly latencyMs: number;
  readonly firstTokenMs: number;
  readonly longestStallMs: number;
  readonly parts: number;
  readonly answerCharacters: number;
};

/** The figures at the end, in ms to a thousandth. An answer without any part has its first token at its end. */
export const streamFigures = (progress: Progress, endedAtMs: number): StreamFigures => ({
  latencyMs: milliseconds(endedAtMs - progress.startedAtMs),
  firstTokenMs: milliseconds((progress.firstPartAtMs ?? endedAtMs) - progress.startedAtMs),
  longestStallMs: milliseconds(progress.longestStallMs),
  parts: progress.parts,
  answerCharacters: progress.characters,
});

/** A clock that is set back must not give a negative time. */
const milliseconds = (value: number): number => Math.max(0, Math.round(value * 1_000) / 1_000);
