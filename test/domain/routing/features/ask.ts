import { extractFeatures } from '../../../../src/domain/routing/features/extract.ts';
import { tenantSchema } from '../../../../src/events/index.ts';

export const tenant = tenantSchema.parse('shop');

/** Features of a conversation of one message. */
export const ask = (content: string) => extractFeatures({ messages: [{ role: 'user', content }], parameters: {}, tenant });
