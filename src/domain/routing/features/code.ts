import type { Scan } from './scan.ts';

// Each begins where a word ended, is tried at that place only, repeats within a bound and never within a repetition.
const declaration = /^ [A-Za-z_]\w{0,60} ?[({:<]/;
const binding = /^ \w{1,60} ?=/;
const wholeLine = /^ [\w.{*]{1,60}(?: import\b|;|\n|$)/;
const lookAheadCharacters = 80;
const selectCharacters = 200;

/** Whether the keyword at `start` .. `end` and what follows it have the shape of code. Keywords count as programs write them: in small letters, SQL in capitals. */
export const beginsCode = (scan: Scan, text: string, start: number, end: number): boolean => {
  const rest = text.slice(end, end + lookAheadCharacters);
  switch (text.slice(start, end)) {
    case 'def':
    case 'function':
    case 'class':
    case 'struct':
    case 'interface':
      return declaration.test(rest);
    case 'const':
    case 'let':
    case 'var':
      return binding.test(rest);
    case 'import':
    case 'from':
    case 'using':
    case 'package':
      return scan.lineAt === scan.words && wholeLine.test(rest);
    case 'SELECT':
      scan.selectAt = end;
      return false;
    case 'FROM':
      return scan.selectAt >= 0 && start - scan.selectAt <= selectCharacters;
    default:
      return false;
  }
};
