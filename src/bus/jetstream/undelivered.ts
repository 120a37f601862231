import { z } from 'zod';
import type { DeadLetters } from '../dead-letters.ts';
import type { TakenItem } from '../work-queue.ts';
import type { Link } from './link.ts';
import { takeFrom } from './taker.ts';
import { streams, type Topology } from './topology.ts';

/**
 * A request whose worker dies each time would stay in the queue until its age ends it, seen by nobody. The server gives notice when it has handed an
 * item out for the last time in vain; a stream keeps the notice, and a worker that lives puts the item, with its body, among the dead letters.
 * Order: letter, then removal, then acknowledgement of the notice; each step may be repeated.
 */
const noticeSchema = z.object({ stream_seq: z.int().min(1), deliveries: z.int() });
const againMs = 5_000;

export const buryUndelivered = async (link: Link, topology: Topology, dead: DeadLetters, signal: AbortSignal): Promise<void> => {
  for await (const notice of takeFrom(link, topology.undelivered, { concurrency: 1, signal })) {
    try {
      await bury(link, dead, notice);
      await notice.done();
    } catch (error) {
      link.logger.warn({ err: error }, 'an undelivered request could not be buried; trying again');
      notice.again(againMs);
    }
  }
};

const bury = async (link: Link, dead: DeadLetters, notice: TakenItem): Promise<void> => {
  const read = readNotice(notice.body);
  if (read === null) {
    // Anybody may publish on the subject of the notices.
    await dead.put({
      reason: 'poison-notice',
      detail: 'expected a notice of the server that an item was handed out for the last time',
      origin: notice.subject,
      originSequence: notice.sequence,
      id: `${streams.undelivered}:${notice.sequence}`,
      body: notice.body,
    });
    return;
  }
  const { stream_seq: sequence, deliveries } = read;
  const item = await link.jsm.streams.getMessage(streams.requests, { seq: sequence });
  if (item === null) {
    link.logger.warn({ sequence, deliveries }, 'an undelivered request was gone before it could be buried');
    return;
  }
  await dead.put({
    reason: 'undelivered',
    detail: `handed out ${deliveries} times, never acknowledged`,
    origin: item.subject,
    originSequence: sequence,
    id: `${streams.requests}:${sequence}:${item.timestamp}`,
    body: item.data,
  });
  link.logger.error(
    { sequence, deliveries, subject: item.subject },
    'a request was handed out for the last time and never acknowledged: dead letter',
  );
  // False: somebody was quicker.
  await link.jsm.streams.deleteMessage(streams.requests, sequence, false);
};

const readNotice = (body: Uint8Array): z.infer<typeof noticeSchema> | null => {
  try {
    return noticeSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return null;
  }
};
