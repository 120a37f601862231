import { describe, expect, it } from 'vitest';
import { assembleToolCalls } from '../../src/gateway/completion.ts';

describe('tool calls out of pieces', () => {
  it('joins pieces of the same index, in the order of their beginning', () => {
    const pieces = [
      { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } },
      { index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{"x"' } },
      { index: 0, function: { arguments: '{"y":' } },
      { index: 1, function: { name: '', arguments: ':1}' } },
      { index: 0, function: { arguments: '2}' } },
    ];
    expect(assembleToolCalls(pieces)).toEqual([
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{"y":2}' } },
      { id: 'b', type: 'function', function: { name: 'g', arguments: '{"x":1}' } },
    ]);
  });

  it('takes a piece without an index for a whole call', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
    expect(assembleToolCalls([call, { ...call, id: 'b' }])).toEqual([call, { ...call, id: 'b' }]);
  });
});
