import { createHash } from 'node:crypto';
import type { DataOf } from '../../events/index.ts';
import type { Json } from '../../json.ts';
import { canonicalJson } from '../canonical-json.ts';
import { everyRequest } from './evidence.ts';
import { evidenceFields, type EvidenceField } from './sums.ts';
import type { PolicyContent } from './policy-version.ts';
import type { BlockSnapshot, StateSnapshot } from './snapshot.ts';

/**
 * A state in the size of a message: what people look at, and fingerprints of the rest. Two states with equal fingerprints are equal to the last digit.
 */
export type StateSummary = Pick<StateSnapshot, 'sequence' | 'latestTick' | 'totals' | 'paces' | 'configured' | 'canaryEnded' | 'trial'> & {
  /** SHA-256 of the whole snapshot in canonical JSON, in which each arm's blocks stand by their own. */
  readonly fingerprint: string;
  readonly arms: readonly ArmSummary[];
  readonly policy: PolicySummary | null;
  readonly canary: (PolicySummary & { readonly share: number }) | null;
};

export type ArmSummary = {
  readonly arm: string;
  readonly decided: number;
  readonly ended: number;
  readonly cells: number;
  readonly blocks: number;
  /** Sums over all time of the cell of all requests. */
  readonly all: Readonly<Record<EvidenceField, number>>;
  readonly fingerprint: string;
};

export type PolicySummary = { readonly id: string; readonly version: string; readonly kind: string; readonly change: number };

export const summaryOf = (snapshot: StateSnapshot): StateSummary => {
  const { sequence, latestTick, totals, paces, configured, canaryEnded, trial, policy, canary } = snapshot;
  const arms = armsOf(snapshot);
  return {
    sequence,
    latestTick,
    totals,
    paces,
    configured,
    canaryEnded,
    trial,
    fingerprint: sha256(canonicalJson(plainJson({ ...snapshot, blocks: arms }))),
    arms,
    policy: policy && policySummary(policy),
    canary: canary && { ...policySummary(canary), share: canary.share },
  };
};

const armsOf = ({ blocks, chosen }: StateSnapshot): readonly ArmSummary[] => {
  const byArm = Map.groupBy(blocks, ({ arm }) => arm);
  const counts = new Map(chosen.map(({ arm, ...known }) => [arm, known]));
  return [...new Set([...byArm.keys(), ...counts.keys()])].sort().map((arm) => {
    const mine = byArm.get(arm) ?? [];
    return {
      arm,
      ...(counts.get(arm) ?? { decided: 0, ended: 0 }),
      cells: new Set(mine.map(({ cell }) => cell)).size,
      blocks: mine.length,
      all: totalsOf(mine.filter(({ cell }) => cell === everyRequest)),
      fingerprint: sha256(JSON.stringify(mine.map(({ cell, startTick, sums }) => [cell, startTick, sums]))),
    };
  });
};

const totalsOf = (blocks: readonly BlockSnapshot[]): ArmSummary['all'] =>
  Object.fromEntries(
    evidenceFields.map((field, index) => [field, blocks.reduce((sum, { sums }) => sum + (sums[index] ?? 0), 0)]),
  ) as ArmSummary['all'];

const policySummary = ({ policy, spec, change }: PolicyContent & Pick<DataOf<'policy.activated'>, 'change'>): PolicySummary => ({
  ...policy,
  kind: spec.kind,
  change,
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Read back: a key without a value is not a difference. */
const plainJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
