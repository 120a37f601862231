/**
 * Scratch memory for the characters of one text: reading numbers from it is several times as fast as asking a string for its characters. It is filled before each scan, a scan
 * ends before the next begins, and nobody else sees it. Ends of line stand on both sides, so that a look at a few neighbours needs no test for the edge.
 */
export const maxUnits = 2_048;
/** Where the text begins. */
export const firstUnit = 4;

const newline = 0x0a;
export const units = new Uint16Array(maxUnits + 2 * firstUnit).fill(newline);
// UTF-16LE is the order of bytes in memory on x64 and arm64, the machines that the product runs on.
const bytes = Buffer.from(units.buffer);

/** Loads the first `maxUnits` UTF-16 units of a text and answers the end: the place after the last one. */
export const loadUnits = (text: string): number => {
  const written = bytes.write(text, 2 * firstUnit, 2 * maxUnits, 'utf16le');
  const end = firstUnit + written / 2;
  units.fill(newline, end, end + firstUnit);
  return end;
};
