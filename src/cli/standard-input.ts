import { usageError } from './exit-codes.ts';

const mostBytes = 64 * 1024 * 1024;

/** All of stdin as text, for an argument that is `-`. */
export const readStandardInput = async (what: string): Promise<string> => {
  if (process.stdin.isTTY) process.stderr.write(`Type ${what} and end it with Ctrl-D.\n`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw usageError(`expected at most ${mostBytes} bytes on stdin, got more`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') throw usageError(`expected ${what} on stdin, got nothing`);
  return text;
};
