import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { allFrames, wholeBody } from './openai-frames.ts';

/**
 * An OpenAI-compatible server on loopback. Without a `script` it answers every request at once with the same ready-made bytes and keeps nothing:
 * that is what benchmarks measure against. With one, each request gets the reply that the script names, and is remembered for the test.
 */
export type MockReply =
  /** Status and headers, the chunks one by one (each a write of its own), then the end of the answer, of the connection, or silence. */
  | {
      readonly kind: 'bytes';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly chunks: readonly (string | Uint8Array)[];
      readonly pauseMs?: number;
      readonly then: 'end' | 'cut' | 'stall';
    }
  /** Not even headers. */
  | { readonly kind: 'silence' }
  /** The connection is closed, or garbage is written to it, before any headers. */
  | { readonly kind: 'hang-up'; readonly garbage?: string };

export type MockRequest = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };
export type MockScript = (request: MockRequest) => MockReply;

export type MockProvider = {
  /** Base url for an OpenAI client, with `/v1`. */
  readonly url: string;
  /** The last thousand, when there is a script. */
  readonly requests: readonly MockRequest[];
  readonly connections: { readonly open: number; readonly opened: number };
  readonly close: () => Promise<void>;
};

const requestsKept = 1_000;

export const startMockProvider = async (options: { readonly script?: MockScript; readonly port?: number } = {}): Promise<MockProvider> => {
  const requests: MockRequest[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  const { script } = options;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      if (script === undefined) {
        answerAtOnce(response, body.includes('"stream":true') || body.includes('"stream": true'));
        return;
      }
      const seen = { path: request.url ?? '', headers: request.headers, body: body.toString('utf8') };
      if (requests.push(seen) > requestsKept) requests.shift();
      void play(script(seen), response);
    });
  });
  server.on('connection', (socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    connections: {
      get open() {
        return sockets.size;
      },
      get opened() {
        return opened;
      },
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const readyWhole = Buffer.from(wholeBody({ text: 'This is the answer of the mock provider.' }));
const readyStream = Buffer.from(allFrames({ texts: ['This is ', 'the answer ', 'of the ', 'mock provider.'] }));
const wholeHeaders = ['content-type', 'application/json', 'content-length', String(readyWhole.length)];
const streamHeaders = ['content-type', 'text/event-stream', 'cache-control', 'no-cache'];

const answerAtOnce = (response: ServerResponse, streamed: boolean) => {
  response.sendDate = false;
  response.writeHead(200, streamed ? streamHeaders : wholeHeaders).end(streamed ? readyStream : readyWhole);
};

const play = async (reply: MockReply, response: ServerResponse): Promise<void> => {
  switch (reply.kind) {
    case 'silence':
      return;
    case 'hang-up':
      response.socket?.end(reply.garbage ?? '');
      return;
    case 'bytes': {
      response.writeHead(reply.status ?? 200, { 'content-type': 'text/event-stream', ...reply.headers });
      response.flushHeaders();
      for (const chunk of reply.chunks) {
        if (response.destroyed) return;
        // Each chunk must have left before the next one, or the two would arrive as one.
        await new Promise<void>((resolve) => response.write(chunk, () => setTimeout(resolve, reply.pauseMs ?? 1)));
      }
      if (reply.then === 'end') response.end();
      if (reply.then === 'cut') response.destroy();
    }
  }
};
