import type { RequestId, Tenant } from '../events/index.ts';
import type { Concern } from './concern.ts';

/**
 * The streamer's register: which requests are under way in this process, and whether one more may begin. It answers other processes that ask whether
 * a request is in good hands here, and keeps the process alive while draining. What happens within one request is in request-host.ts.
 */
export type StreamerCommand =
  | { readonly type: 'begin'; readonly tenant: Tenant; readonly requestId: RequestId }
  | { readonly type: 'end'; readonly tenant: Tenant; readonly requestId: RequestId }
  | { readonly type: 'working'; readonly tenant: Tenant; readonly requestId: RequestId }
  | { readonly type: 'count' };

export type StreamerReply =
  | { readonly kind: 'begun' }
  | { readonly kind: 'same-under-way' }
  | { readonly kind: 'overloaded'; readonly underWay: number }
  | { readonly kind: 'ended' }
  | { readonly kind: 'working'; readonly working: boolean }
  | { readonly kind: 'count'; readonly underWay: number };

type StreamerState = { readonly underWay: Set<string> };

export const streamerConcern = (options: { readonly concurrency: number }): Concern<StreamerState, StreamerCommand, StreamerReply> => ({
  role: 'streamer',
  follows: false,
  rebuild: async ({ atLeast }) => ({ sequence: atLeast, state: { underWay: new Set() } }),
  handle: (command, { underWay }) => {
    switch (command.type) {
      case 'begin': {
        const key = keyOf(command);
        if (underWay.has(key)) return { kind: 'same-under-way' };
        if (underWay.size >= options.concurrency) return { kind: 'overloaded', underWay: underWay.size };
        underWay.add(key);
        return { kind: 'begun' };
      }
      case 'end':
        underWay.delete(keyOf(command));
        return { kind: 'ended' };
      case 'working':
        return { kind: 'working', working: underWay.has(keyOf(command)) };
      case 'count':
        return { kind: 'count', underWay: underWay.size };
    }
  },
  evolve: (state) => state,
});

const keyOf = ({ tenant, requestId }: { readonly tenant: Tenant; readonly requestId: RequestId }) => `${tenant}:${requestId}`;
