import { createServer } from 'node:net';

/** Settles a port: 0 becomes one that is free now, so that a process which is started again is found at the same address. */
export const settlePort = async (host: string, port: number): Promise<number> => {
  if (port !== 0) return port;
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(0, host, resolve);
  await promise;
  const address = server.address();
  const closed = Promise.withResolvers<void>();
  server.close(() => {
    closed.resolve();
  });
  await closed.promise;
  if (address === null || typeof address === 'string') throw new TypeError('expected a TCP address');
  return address.port;
};
