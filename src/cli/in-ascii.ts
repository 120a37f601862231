/** Figures of the report as a terminal shows them, where they are copied and searched for: a plain minus, plain spaces. */
export const inAscii = (text: string): string => text.replaceAll('\u2212', '-').replaceAll('\u00a0', ' ');
