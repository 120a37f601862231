import { PermanentError } from '../../errors.ts';
import { subjects } from '../../events/index.ts';
import type { DeadLetter, DeadLetters } from '../dead-letters.ts';
import type { Delivered } from './delivered.ts';
import { asBusError } from './failures.ts';
import { toHeaders } from './headers.ts';
import type { Link } from './link.ts';
import { readStream } from './stream-reader.ts';
import { streams } from './topology.ts';

/**
 * Letters in a stream of their own. What belongs to the letter stands in headers, the body is what could not be handled, byte for byte; a body that
 * leaves no room for the headers is cut, and the letter says so. When the stream is full the oldest give way: a warning says so while it is nearly full.
 */
const stream = streams.dead;
const names = {
  detail: 'Switchyard-Detail',
  origin: 'Switchyard-Origin',
  originSequence: 'Switchyard-Origin-Sequence',
  id: 'Switchyard-Id',
} as const;
const headerBytes = 16 * 1024;
const detailCharacters = 1_000;
const fullShare = 0.9;
const lookEveryMs = 60_000;
const reasonPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export const createDeadLetters = (link: Link): DeadLetters => {
  let lookedAtMs = 0;

  const warnWhenFull = async () => {
    if (Date.now() - lookedAtMs < lookEveryMs) return;
    lookedAtMs = Date.now();
    const { state, config } = await link.jsm.streams.info(stream);
    if (state.bytes > fullShare * config.max_bytes)
      link.logger.warn(
        { bytes: state.bytes, limit: config.max_bytes, first: state.first_seq },
        'the dead letters are full: the oldest give way',
      );
  };

  const put = async (letter: DeadLetter): Promise<void> => {
    if (!reasonPattern.test(letter.reason))
      throw new PermanentError('bus-invalid', `expected a reason of lower case words joined by hyphens, got "${letter.reason}"`);
    const room = link.maxPayloadBytes() - headerBytes;
    const isCut = letter.body.length > room;
    const detail = isCut ? `(cut from ${letter.body.length} to ${room} bytes) ${letter.detail}` : letter.detail;
    const headers = toHeaders(
      {
        [names.detail]: encodeURIComponent(detail.slice(0, detailCharacters).toWellFormed()),
        [names.origin]: letter.origin,
        [names.id]: letter.id,
        ...(letter.originSequence === undefined ? {} : { [names.originSequence]: String(letter.originSequence) }),
      },
      letter.id,
    );
    const body = isCut ? letter.body.subarray(0, room) : letter.body;
    await link.acknowledged.store(subjects.dead(letter.reason), body, { headers, timeoutMs: link.timeoutMs });
    await warnWhenFull().catch((error: unknown) => {
      link.logger.warn({ err: error }, 'the size of the dead letters is unknown');
    });
  };

  const list: DeadLetters['list'] = async ({ limit }) => {
    const { state } = await link.jsm.streams.info(stream).catch((error: unknown) => {
      throw asBusError(error, 'the dead letters');
    });
    const from = Math.max(1, state.first_seq, state.last_seq - limit + 1);
    const letters: StoredLetter[] = [];
    for await (const letter of readStream(link, { stream, from, to: state.last_seq }, toLetter)) letters.push(letter);
    return letters.reverse();
  };

  return { put, list };
};

type StoredLetter = DeadLetter & { readonly sequence: number; readonly storedAtMs: number };

const toLetter = ({ message, sequence, storedAtMs }: Delivered): StoredLetter => {
  const header = (name: string): string => message.headers?.get(name) ?? '';
  const originSequence = header(names.originSequence);
  return {
    sequence,
    storedAtMs,
    reason: message.subject.slice(subjects.dead('').length),
    detail: readable(header(names.detail)),
    origin: header(names.origin),
    ...(originSequence === '' ? {} : { originSequence: Number(originSequence) }),
    id: header(names.id),
    body: message.data,
  };
};

/** A letter may have been written by hand. */
const readable = (detail: string): string => {
  try {
    return decodeURIComponent(detail);
  } catch {
    return detail;
  }
};
