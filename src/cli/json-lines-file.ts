import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { writeNewFiles } from '../replay/interchange/new-files.ts';

/** A file of JSON, one value a line, that is there when it is whole. Without `out` the values go nowhere. */
export const jsonLinesInto = async (
  { out, force }: { readonly out?: string | undefined; readonly force?: true | undefined },
  make: (write: (value: object) => Promise<void>) => Promise<void>,
): Promise<void> => {
  if (out === undefined) return make(async () => undefined);
  await writeNewFiles([out], { force: force === true }, async ([temporary = out]) => {
    const file = createWriteStream(temporary, { flags: 'wx', highWaterMark: 1024 ** 2 });
    const done = finished(file);
    // Heard below, when all is written or could not be.
    done.catch(() => undefined);
    try {
      await make(async (value) => {
        if (!file.write(`${JSON.stringify(value)}\n`)) await Promise.race([once(file, 'drain'), done]);
      });
      file.end();
      await done;
    } catch (error) {
      file.destroy();
      // What is still being opened would be there again after it was taken away.
      if (!file.closed) await once(file, 'close');
      throw error;
    }
  });
};
