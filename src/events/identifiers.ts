import { z } from 'zod';

/**
 * Names that travel in subjects, SQL and headers. A tenant is one NATS subject token, so it carries no dot, wildcard or space.
 * Names that begin with an underscore are the product's own (`_system`) and cannot be claimed by a tenant.
 */
export const tenantSchema = z
  .string()
  .regex(/^[a-z0-9_][a-z0-9_-]{0,62}$/, 'expected 1 to 63 characters of a-z, 0-9, "-" and "_"')
  .brand<'Tenant'>();
export type Tenant = z.infer<typeof tenantSchema>;

export const systemTenant = tenantSchema.parse('_system');

const requestIdForm = 'expected 1 to 128 characters of A-Z, a-z, 0-9 and . _ : @ / + = -, beginning with a letter or digit';

/** A request id, given by the caller or made by the gateway: 1 to 128 visible ASCII characters without spaces, quotes or wildcards. */
export const requestIdSchema = z
  .string(requestIdForm)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/+=-]{0,127}$/, requestIdForm)
  .brand<'RequestId'>();
export type RequestId = z.infer<typeof requestIdSchema>;

/** The name of an arm or a model as configuration declares it. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/, 'expected 1 to 128 characters of A-Z, a-z, 0-9 and . _ : / @ -');

/** Position of a message in the event log; the first is 1. One message holds one or more events; `index` counts within it from 0. */
export type Sequence = number & { readonly __brand: 'Sequence' };
export const sequence = (value: number): Sequence => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`a log sequence is a whole number from 0, got ${value}`);
  return value as Sequence;
};
export const sequenceSchema = z.int().min(0).transform(sequence);

/** A moment, to the millisecond, in UTC. Years have four digits; times are counted from 1970. */
export const momentSchema = z.iso.datetime({ precision: 3 }).refine((text) => text >= '1970', 'expected a moment from 1970 on');

/** A whole number of millionths of one: the form in which rewards and scores are kept, so that sums are exact in any order. */
export const microSchema = z.int().min(0).max(1_000_000);
/** A probability. */
export const probabilitySchema = z.number().min(0).max(1);
