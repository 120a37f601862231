import { TransientError } from '../../errors.ts';
import type { Agreement } from '../agreement.ts';
import { asBusError } from './failures.ts';
import { onlyFirstOfSubject } from './headers.ts';
import type { Link } from './link.ts';
import { streams } from './topology.ts';

const onlyFirst = onlyFirstOfSubject();
const soonMs = 200;

/** The only message of a subject. */
export const createAgreement = (link: Link, subject: string): Agreement => ({
  offer: async (value) => {
    const there = await read(link, subject);
    if (there !== null) return there;
    await link.acknowledged.store(subject, value, { headers: onlyFirst, timeoutMs: link.timeoutMs });
    const stands = await read(link, subject);
    if (stands === null)
      throw new TransientError('bus-unavailable', `expected the value that was just stored at ${subject}, got none`, soonMs);
    return stands;
  },
});

const read = async ({ jsm }: Link, subject: string): Promise<Uint8Array | null> => {
  try {
    return (await jsm.streams.getMessage(streams.agreements, { last_by_subj: subject }))?.data ?? null;
  } catch (error) {
    throw asBusError(error, `what stands at ${subject}`);
  }
};
