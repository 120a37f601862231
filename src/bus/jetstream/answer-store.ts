import { createHash } from 'node:crypto';
import type { RequestId, Tenant } from '../../events/index.ts';
import type { AnswerStore } from '../answer-store.ts';
import { asBusError, tooLarge } from './failures.ts';
import { onlyFirstOfSubject } from './headers.ts';
import type { Link } from './link.ts';
import { answerSubject, streams } from './topology.ts';

/** The only message of a subject made of tenant and request id. The id is hashed: it may hold dots, and be longer than a token should be. */
const tokenLength = 32;
const onlyFirst = onlyFirstOfSubject();

export const createAnswerStore = (link: Link): AnswerStore => ({
  put: async (tenant, requestId, body) => {
    if (body.length > link.maxPayloadBytes()) throw tooLarge(`the answer of ${requestId}`, body.length, link.maxPayloadBytes());
    const stored = await link.acknowledged.store(subjectOf(tenant, requestId), body, { headers: onlyFirst, timeoutMs: link.timeoutMs });
    return stored.kind === 'stored';
  },
  get: async (tenant, requestId) => {
    try {
      const message = await link.jsm.streams.getMessage(streams.answers, { last_by_subj: subjectOf(tenant, requestId) });
      return message?.data ?? null;
    } catch (error) {
      throw asBusError(error, `the answer of ${requestId}`);
    }
  },
});

const subjectOf = (tenant: Tenant, requestId: RequestId): string =>
  answerSubject(tenant, createHash('sha256').update(requestId).digest('hex').slice(0, tokenLength));
