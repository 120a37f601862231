import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { startHttp } from './support/http.ts';
import { failed, finished, scriptedAnswering, started, text, threeWords } from './support/scripted-answering.ts';

const clientOf = (address: string) => new OpenAI({ baseURL: `${address}/v1`, apiKey: 'not needed', maxRetries: 2 });
const question = { model: 'auto', messages: [{ role: 'user' as const, content: 'How many legs do three spiders have?' }] };

describe('the official OpenAI client', () => {
  it('gets a whole answer', async () => {
    const { address } = await startHttp();
    const { data, request_id: requestId } = await clientOf(address).chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe('Twenty-four legs.');
    expect(data.usage?.total_tokens).toBe(10);
    expect(data.id).toBe(`chatcmpl-${requestId ?? ''}`);
  });

  it('gets a stream, with the usage at its end', async () => {
    const { address } = await startHttp();
    const stream = await clientOf(address).chat.completions.create({ ...question, stream: true, stream_options: { include_usage: true } });
    let said = '';
    let usage: unknown;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(said).toBe('Twenty-four legs.');
    expect(usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 3 });
  });

  it('puts a streamed answer with tool calls together', async () => {
    const { address } = await startHttp({
      answering: scriptedAnswering((request) => [
        started(request),
        { kind: 'delta', text: '', toolCalls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a"' } }] },
        { kind: 'delta', text: '', toolCalls: [{ index: 0, function: { arguments: ':1}' } }] },
        finished(),
      ]),
    });
    const completion = await clientOf(address).chat.completions.stream(question).finalChatCompletion();
    expect(completion.choices[0]?.message.tool_calls).toMatchObject([{ id: 'c', function: { name: 'f', arguments: '{"a":1}' } }]);
  });

  it('throws in the middle of a stream that fails, with the code', async () => {
    const { address } = await startHttp({
      answering: scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'pause', ms: 5 }, failed('provider_timeout')]),
    });
    const stream = await clientOf(address).chat.completions.create({ ...question, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: 'provider_timeout' });
  });

  it('tries again what may help, with the pause it is given, and nothing else', async () => {
    let calls = 0;
    const { address, answering } = await startHttp({
      answering: scriptedAnswering((request) => (++calls === 1 ? [failed('overloaded', 10)] : threeWords(request))),
    });
    await clientOf(address).chat.completions.create(question);
    expect(answering.asked).toHaveLength(2);

    const refused = await startHttp({ answering: scriptedAnswering(() => [failed('answer_too_large')]) });
    await expect(clientOf(refused.address).chat.completions.create(question)).rejects.toMatchObject({
      status: 502,
      code: 'answer_too_large',
    });
    expect(refused.answering.asked).toHaveLength(1);
  });

  it('lists the models', async () => {
    const { address } = await startHttp();
    const client = clientOf(address);
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toContain('org/large');
    expect(await client.models.retrieve('org/large')).toMatchObject({ id: 'org/large', object: 'model' });
  });

  it('is told what is wrong, once', async () => {
    const { address, answering } = await startHttp();
    const client = clientOf(address);
    await expect(client.chat.completions.create({ ...question, model: 'nobody' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      type: 'invalid_request_error',
    });
    expect(answering.asked).toHaveLength(0);
  });
});
