import { createMemoryBus } from '../../src/bus/memory/bus.ts';
import { describeEventLog } from '../contracts/event-log.ts';
import { describeMessenger } from '../contracts/messenger.ts';
import { describeStores } from '../contracts/stores.ts';
import { describeWorkQueue } from '../contracts/work-queue.ts';
import { testBusConfig } from '../support/nats.ts';

const fresh = (ackWaitSeconds = testBusConfig.requests.ackWaitSeconds) =>
  createMemoryBus({ config: { ...testBusConfig, requests: { ...testBusConfig.requests, ackWaitSeconds } } });
const close = () => Promise.resolve();

describeEventLog(
  'memory',
  async () => {
    const bus = fresh();
    return { log: bus.log, inject: async (subject, body) => bus.inject(subject, body) };
  },
  close,
);
describeWorkQueue('memory', async (ackWaitSeconds) => fresh(ackWaitSeconds), close);
describeMessenger('memory', async () => fresh().messenger, close);
describeStores('memory', async () => fresh(), close);
