import { readChatAnswer, type ChatAnswer } from './chat-answer.ts';
import { configOption, httpUrlOption, jsonOption, withExamples, type AddCommand } from './command.ts';
import { requestTo, send } from './http.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { milliseconds, nanoUsd } from './numbers.ts';
import { readStandardInput } from './standard-input.ts';
import { printable, type Terminal } from './terminal.ts';

type ChatOptions = AddressOptions & {
  readonly model: string;
  readonly tenant?: string;
  readonly stream: boolean;
  readonly requestId?: string;
  readonly cache: boolean;
};

export const addChat: AddCommand = (program, terminal) => {
  const command = program
    .command('chat')
    .summary('send a request and print its answer')
    .description('Sends a request over HTTP and prints the answer as it comes. What was decided and what it cost follows on stderr.')
    .argument('<prompt>', 'what to ask; - reads it from stdin')
    .option('-m, --model <name>', 'a model or an arm; auto leaves it to the router', 'auto')
    .option('-t, --tenant <name>', 'tenant of the request (default: the first of the configuration)')
    .option('--request-id <id>', 'makes a retry safe: the same id is answered once')
    .option('--no-stream', 'ask for the answer in one piece')
    .option('--no-cache', 'do not look for a stored answer')
    .addOption(jsonOption('one object when the answer is whole'))
    .addOption(httpUrlOption())
    .addOption(configOption())
    .action((prompt: string, options: ChatOptions) => chat(terminal, prompt, options));
  withExamples(command, [
    ['./switchyard chat "What is a Lagrangian?"', 'streamed to the terminal'],
    ['./switchyard chat --model sim-large - < question.txt', 'a certain model, the prompt from a file'],
    ['./switchyard chat --request-id order-17 "Hello"', 'twice: the second answer is the recorded one'],
    ['./switchyard chat --json "Hello" | jq .arm', 'for programs'],
  ]);
};

const chat = async (terminal: Terminal, prompt: string, options: ChatOptions): Promise<void> => {
  const content = prompt === '-' ? await readStandardInput('a prompt') : prompt;
  const located = locateYard(options);
  const request = requestTo(located, 'http', '/v1/chat/completions', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.tenant === undefined ? {} : { 'x-switchyard-tenant': options.tenant }),
      ...(options.requestId === undefined ? {} : { 'idempotency-key': options.requestId }),
      ...(options.cache ? {} : { 'cache-control': 'no-cache' }),
    },
    body: JSON.stringify({
      model: options.model,
      messages: [{ role: 'user', content }],
      ...(options.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    }),
    signal: terminal.interrupted(),
  });
  const startedAtMs = performance.now();
  const response = await send(located, 'http', request);

  let firstTextMs: number | undefined;
  const answer = await readChatAnswer(response, async (text) => {
    firstTextMs ??= performance.now() - startedAtMs;
    if (options.json !== true) await terminal.write(terminal.isInteractive ? printable(text) : text);
  });
  const timing = { firstTextMs: firstTextMs ?? null, latencyMs: performance.now() - startedAtMs };

  if (options.json === true) {
    const { costNanoUsd, ...rest } = answer;
    await terminal.json({ ...rest, costUsd: costNanoUsd / 1e9, ...timing });
    return;
  }
  if (!answer.text.endsWith('\n')) await terminal.line();
  if (answer.toolCalls !== null) await terminal.line(JSON.stringify(answer.toolCalls));
  terminal.note(terminal.noteStyle('dim', footer(answer, timing)));
};

const footer = (
  answer: ChatAnswer,
  { firstTextMs, latencyMs }: { readonly firstTextMs: number | null; readonly latencyMs: number },
): string =>
  [
    `arm ${answer.arm}`,
    `model ${answer.model}${answer.simulated ? ' (simulated: no real model answered)' : ''}`,
    `cache ${answer.cache}${answer.repeated ? ', the recorded answer of an earlier attempt' : ''}`,
    `${answer.promptTokens} + ${answer.completionTokens} tokens`,
    nanoUsd(answer.costNanoUsd),
    `${milliseconds(latencyMs)}${firstTextMs === null ? '' : `, first text after ${milliseconds(firstTextMs)}`}`,
    `request ${answer.requestId}`,
  ].join(' | ');
