import type { Tenant } from '../../events/index.ts';
import { canonicalJson } from '../canonical-json.ts';

/** What is hashed to name a conversation in events: its name means nothing outside of its tenant. */
export const conversationText = (tenant: Tenant, conversation: string): string => canonicalJson(['conversation', tenant, conversation]);
