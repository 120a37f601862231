import { endingsPerKind, requestKinds, type RequestFeaturesV2 } from '../../../events/schemas/features.ts';

/**
 * The cells under which evidence about a request is filed, from coarse to fine. The ending, a hash of the last three words, is what tells the templates of one kind apart: it holds the
 * question or the instruction more often than the opening does. It stands under its kind, so that the free text of one kind does not blur the templates of another.
 */
export const cellsOf = ({ kind, ending }: RequestFeaturesV2): readonly string[] => chains.get(kind)?.[ending % endingsPerKind] ?? ['all'];

/** All chains of cells there are, made once: a name that is met again is the same string, whose hash is known. */
const chains = new Map(
  requestKinds.map((kind) => [
    kind,
    Array.from({ length: endingsPerKind }, (_, ending) => ['all', `kind:${kind}`, `ending:${kind}:${ending}`] as const),
  ]),
);

/** Number of cells there can be, 595: a bound on the evidence kept of each arm. */
export const cellCount = 1 + requestKinds.length * (1 + endingsPerKind);
