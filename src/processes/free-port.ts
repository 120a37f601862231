import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that operating systems give out by themselves: what is free here is still free when the process that shall have it has started, or starts again. (A client that calls a port of theirs
 * while nobody listens can be given that very port for its own end, and is then connected with itself.)
 */
const lowest = 20_000;
const highest = 32_000;
const attempts = 50;

/** Settles a port: 0 becomes one that is free now, so that a process which is started again is found at the same address. */
export const settlePort = async (host: string, port: number): Promise<number> => {
  if (port !== 0) return port;
  for (let i = 0; i < attempts; i++) {
    const candidate = randomInt(lowest, highest);
    if ((await listenOnce(host, candidate)) !== null) return candidate;
  }
  const given = await listenOnce(host, 0);
  if (given === null) throw new Error(`expected a free port at ${host}, found none`);
  return given;
};

/** The port that was listened on for a moment; null when another process has it. */
const listenOnce = (host: string, port: number): Promise<number | null> => {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
    else reject(error);
  });
  server.listen(port, host, () => {
    const address = server.address();
    server.close(() => {
      if (address === null || typeof address === 'string') reject(new TypeError('expected a TCP address'));
      else resolve(address.port);
    });
  });
  return promise;
};
