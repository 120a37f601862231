import { parseArgs } from 'node:util';
import { startMockProvider } from '../test/support/mock-provider.ts';

/** A provider as a process of its own: answers at once, prints its address as one line of JSON, stops when told to. `--port`: 0 for a free one. */
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const provider = await startMockProvider({ port: Number(values.port) });
console.log(JSON.stringify({ url: provider.url }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void provider.close());
