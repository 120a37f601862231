import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { EvidenceAt } from '../domain/routing/evidence.ts';

export const evidenceSourceOf = (_settings: Settings, _logger: Logger) => async (): Promise<EvidenceAt | null> => null;
