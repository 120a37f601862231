/**
 * The count that proves the record: every request that was sent was answered, has exactly one decision (routed, or served from the cache), one outcome
 * and one reward in the log, and every event of the log is one row in ClickHouse, once.
 */
export type Parity = {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly log: LogCounts;
  readonly rows: RowCounts;
};

/** Of the whole log. `twice`: requests that have more than one decision, outcome or first reward. */
export type LogCounts = {
  readonly events: number;
  readonly routed: number;
  readonly fromCache: number;
  readonly completed: number;
  readonly failed: number;
  readonly rewarded: number;
  /** Judgements that came in, and revisions of rewards that followed from them. */
  readonly feedback: number;
  readonly revised: number;
  readonly twice: number;
};

/** Of the table. `duplicates` are rows beyond the first of an event. */
export type RowCounts = Omit<LogCounts, 'twice'> & { readonly distinct: number; readonly duplicates: number };

/** Every disagreement, in words; none when all is accounted for. */
export const mismatchesOf = ({ sent, answered, failed, log, rows }: Parity): readonly string[] => {
  const equal = (what: string, value: number, expected: number): readonly string[] =>
    value === expected ? [] : [`${what}: expected ${expected}, got ${value}`];
  return [
    ...equal('answered or failed', answered + failed, sent),
    ...equal('decided in the log (routed and from the cache)', log.routed + log.fromCache, sent),
    ...equal('outcomes in the log (completed and failed)', log.completed + log.failed, sent),
    ...equal('completed in the log', log.completed, answered),
    ...equal('rewarded in the log', log.rewarded, sent),
    ...equal('revised by feedback in the log', log.revised, log.feedback),
    ...equal('requests recorded twice in the log', log.twice, 0),
    ...equal('rows in ClickHouse', rows.events, log.events),
    ...equal('distinct events in ClickHouse', rows.distinct, log.events),
    ...equal('duplicates in ClickHouse', rows.duplicates, 0),
    ...equal('routed in ClickHouse', rows.routed, log.routed),
    ...equal('from the cache in ClickHouse', rows.fromCache, log.fromCache),
    ...equal('completed in ClickHouse', rows.completed, log.completed),
    ...equal('failed in ClickHouse', rows.failed, log.failed),
    ...equal('rewarded in ClickHouse', rows.rewarded, log.rewarded),
    ...equal('feedback in ClickHouse', rows.feedback, log.feedback),
    ...equal('revised by feedback in ClickHouse', rows.revised, log.revised),
  ];
};

/** All of it on one line. */
export const describeParity = ({ sent, answered, failed, log, rows }: Parity): string =>
  [
    `sent ${sent}`,
    `answered ${answered}${failed === 0 ? '' : ` + failed ${failed}`}`,
    `decided ${log.routed + log.fromCache} (routed ${log.routed} + from cache ${log.fromCache})`,
    `completed ${log.completed}${log.failed === 0 ? '' : ` + failed ${log.failed}`}`,
    `rewarded ${log.rewarded}`,
    ...(log.feedback === 0 ? [] : [`judged ${log.feedback}, revised ${log.revised}`]),
    `events in the log ${log.events}`,
    `rows in ClickHouse ${rows.events}, distinct ${rows.distinct}, duplicates ${rows.duplicates}`,
  ].join('; ');
