import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { startHttpGateway, type HttpGateway } from '../../src/gateway/http-server.ts';
import type { PartReadiness } from '../../src/gateway/readiness.ts';
import type { ChatRequest } from '../../src/requests/chat-request.ts';
import { gatewayConfig } from '../gateway/support/gateway-config.ts';
import {
  failed,
  finished,
  scriptedAnswering,
  started,
  text,
  threeWords,
  type ScriptedAnswering,
  type Step,
} from '../gateway/support/scripted-answering.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { jsonLines, runCli, stackTrace, startCli, testFolder, type TestFolder } from './support/cli.ts';

/** `chat`, `models` and `status` against the real HTTP server; what answers behind it plays a script, chosen by the prompt. */
let nats: TestNats;
let bus: Bus;
let gateway: HttpGateway;
let answering: ScriptedAnswering;
let folder: TestFolder;
let parts: readonly PartReadiness[] = [{ part: 'router', ready: true, detail: 'live' }];

const promptOf = (request: ChatRequest): string => {
  const content = request.messages[0]?.['content'];
  return typeof content === 'string' ? content : '';
};

const scripts: Readonly<Record<string, (request: ChatRequest) => readonly Step[]>> = {
  'how many legs': threeWords,
  'from the cache': (request) => [started(request, { cache: 'hit', simulated: false }), text('Kept.\n'), finished(true)],
  'break off': (request) => [started(request), text('Half of'), failed('provider_error')],
  'fail at once': (request) => [started(request), failed('provider_unavailable')],
  'never end': (request) => [started(request), text('Begun'), { kind: 'until-aborted' }],
  'use a tool': (request) => [
    started(request),
    { kind: 'delta', text: '', toolCalls: [{ index: 0, id: 'call-1', type: 'function', function: { name: 'look', arguments: '{}' } }] },
    finished(),
  ],
};

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  answering = scriptedAnswering((request) => scripts[promptOf(request)]?.(request) ?? threeWords(request));
  gateway = await startHttpGateway({
    config: gatewayConfig(),
    answering,
    log: bus.log,
    readiness: () => parts,
    logger: pino({ level: 'silent' }),
    instance: 'test',
    drainMs: 100,
  });
  folder = testFolder({ nats: { url: nats.url } });
});

afterAll(async () => {
  await gateway.close();
  await bus.close();
  await nats.stop();
  folder.remove();
});

const cli = (...args: string[]) => runCli([...args, '--http-url', gateway.address, '--config', folder.config]);
const lastAsked = () => answering.asked.at(-1);

describe('chat', () => {
  it.each([[[]], [['--no-stream']]])('prints the answer on stdout and what was decided on stderr %j', async (more) => {
    const { status, stdout, stderr } = await cli('chat', 'how many legs', ...more);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'Twenty-four legs.\n' });
    expect(stderr).toMatch(
      /^arm small-plain \| model small \(simulated: no real model answered\) \| cache miss \| 7 \+ 3 tokens \| \$0\.0000123 \| .+ \| request \S+\n$/,
    );
    expect(lastAsked()?.streamed).toBe(more.length === 0);
  });

  it('is one object for programs, streamed or whole', async () => {
    for (const more of [[], ['--no-stream']]) {
      const { status, stdout, stderr } = await cli('chat', 'how many legs', '--json', ...more);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(jsonLines(stdout)).toEqual([
        {
          requestId: lastAsked()?.requestId,
          arm: 'small-plain',
          model: 'small',
          cache: 'miss',
          simulated: true,
          repeated: false,
          text: 'Twenty-four legs.',
          toolCalls: null,
          finishReason: 'stop',
          promptTokens: 7,
          completionTokens: 3,
          costUsd: 0.000012345,
          firstTextMs: expect.any(Number) as number,
          latencyMs: expect.any(Number) as number,
        },
      ]);
    }
  });

  it('hands on model, tenant, request id, cache wish and a prompt from stdin', async () => {
    const args = ['chat', '-', '--model', 'org/large', '--tenant', 'acme', '--request-id', 'order-17', '--no-cache'];
    const { status } = await runCli([...args, '--http-url', gateway.address, '--config', folder.config], { input: 'several\nlines\n' });
    expect(status).toBe(0);
    expect(lastAsked()).toMatchObject({
      model: 'org/large',
      tenant: 'acme',
      requestId: 'order-17',
      retryable: true,
      caching: 'refresh',
      messages: [{ role: 'user', content: 'several\nlines\n' }],
    });
  });

  it('says when the answer came from the cache and is a repeated one', async () => {
    const { stdout, stderr } = await cli('chat', 'from the cache');
    expect(stdout).toBe('Kept.\n');
    expect(stderr).toContain('model small | cache hit, the recorded answer of an earlier attempt |');
  });

  it('prints tool calls', async () => {
    for (const more of [[], ['--no-stream']]) {
      const { stdout } = await cli('chat', 'use a tool', ...more);
      expect(JSON.parse(stdout)).toMatchObject([{ id: 'call-1', function: { name: 'look', arguments: '{}' } }]);
    }
  });

  it.each([
    ['break off', 1, 'It failed as provider_error. (provider_error)'],
    ['fail at once', 1, 'It failed as provider_unavailable. (provider_unavailable)'],
  ])('%s: exit code %i and the reason, never a whole answer', async (prompt, expected, reason) => {
    const { status, stdout, stderr } = await cli('chat', prompt, '--json');
    expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(stackTrace);
  });

  it.each([
    [['--model', 'none'], 'model_not_found'],
    [['--tenant', 'none'], 'unknown_tenant'],
    [['--request-id', 'a b'], 'invalid_request_id'],
  ])('%j is a mistake of the user: exit code 2', async (more, code) => {
    const { status, stderr } = await cli('chat', 'hello', ...more);
    expect(status).toBe(2);
    expect(stderr).toContain(`(${code})`);
  });

  it('Ctrl-C stops the answer at its maker and ends with 130', async () => {
    const before = answering.aborted.length;
    const chatting = startCli(['chat', 'never end', '--http-url', gateway.address, '--config', folder.config]);
    await chatting.said('Begun');
    chatting.child.kill('SIGINT');
    const { status, stderr } = await chatting.ended;
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    await expect.poll(() => answering.aborted.length).toBe(before + 1);
  });

  it('tells a server that is none of ours', async () => {
    const other = await import('node:http').then(({ createServer }) =>
      createServer((_request, response) => response.end('<html>hello</html>')).listen(0, '127.0.0.1'),
    );
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    try {
      for (const args of [['chat', 'hello', '--no-stream'], ['chat', 'hello'], ['models']]) {
        const { status, stderr } = await runCli([...args, '--http-url', `http://127.0.0.1:${port}`, '--config', folder.config]);
        expect(status).toBe(1);
        expect(stderr).not.toMatch(stackTrace);
        expect(stderr).toContain('something else');
      }
    } finally {
      other.close();
    }
  });
});

describe('models', () => {
  it('lists what can be asked for', async () => {
    const { status, stdout } = await cli('models');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^name +is +model +made by$/m);
    expect(stdout).toMatch(/^auto +the choice of the router$/m);
    expect(stdout).toMatch(/^large-plain +arm +org\/large +simulation$/m);
    const [list] = jsonLines((await cli('models', '--json')).stdout) as { data: { id: string }[] }[];
    expect(list?.data.map(({ id }) => id)).toEqual(['auto', 'small', 'org/large', 'small-plain', 'large-plain']);
  });
});

describe('status', () => {
  it('is 0 when every part is ready, 1 when one is not', async () => {
    const well = await cli('status', '--json', '--nats-url', nats.url);
    expect(jsonLines(well.stdout)).toMatchObject([{ addresses: { http: gateway.address }, queue: { waiting: 0, underWay: 0 } }]);
    expect(well.stdout).toContain('"part":"router","ready":true,"detail":"live"');
    parts = [{ part: 'router', ready: false, detail: 'rebuilding' }];
    const ill = await cli('status');
    expect(ill.status).toBe(1);
    expect(ill.stdout).toMatch(/^not ready$/m);
    expect(ill.stdout).toMatch(/^router +not ready +rebuilding$/m);
    expect(ill.stdout).toMatch(/^SWITCHYARD_EVENTS +\d+/m);
  });
});
