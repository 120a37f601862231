import { headers, MsgHdrsImpl, type MsgHdrs } from '@nats-io/transport-node';
import { PermanentError } from '../../errors.ts';
import { asBusError } from './failures.ts';

/** Headers of the server's own, which change what it does with a message. They are not handed on and not taken from outside. */
const reserved = /^nats-/i;

/** Checked headers: names and values that would break the protocol, or speak to the server, are refused. */
export const toHeaders = (record: Readonly<Record<string, string>>, messageId?: string): MsgHdrs => {
  const made = headers();
  for (const [name, value] of Object.entries(record)) {
    if (reserved.test(name)) throw new PermanentError('bus-invalid', `expected a header of the application, got ${name}`);
    set(made, name, value);
  }
  if (messageId !== undefined) set(made, 'Nats-Msg-Id', messageId);
  return made;
};

const set = (made: MsgHdrs, name: string, value: string): void => {
  try {
    made.set(name, value);
  } catch (error) {
    throw asBusError(error, 'a header');
  }
};

const lineBreak = /[\r\n]/;

/** The same without a walk over every character: for the two headers of an append, of which only the id comes from outside. */
export const appendHeaders = (messageId: string, contentType: string, expectedLastSequence: number | undefined): MsgHdrs => {
  if (lineBreak.test(messageId)) throw new PermanentError('bus-invalid', 'expected an idempotency id without line breaks');
  const record: Record<string, string> = { 'Nats-Msg-Id': messageId, 'Content-Type': contentType };
  if (expectedLastSequence !== undefined) record['Nats-Expected-Last-Sequence'] = String(expectedLastSequence);
  return fromRecord(record);
};

/** The server refuses the message, with the code of a wrong sequence, when its subject has one already. */
export const onlyFirstOfSubject = (): MsgHdrs => fromRecord({ 'Nats-Expected-Last-Subject-Sequence': '0' });

/** The library declares Record<string, string[]> and takes plain text as well. */
const fromRecord = (record: Record<string, string>): MsgHdrs => MsgHdrsImpl.fromRecord(record as unknown as Record<string, string[]>);

export const fromHeaders = (made: MsgHdrs | undefined): Readonly<Record<string, string>> => {
  const record: Record<string, string> = {};
  for (const name of made?.keys() ?? []) if (!reserved.test(name)) record[name] = made?.get(name) ?? '';
  return record;
};
