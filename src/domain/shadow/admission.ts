/**
 * How many shadows may begin: so many at a time, and so many a second on average (a bucket of tokens that holds one second's worth). What is not admitted is
 * dropped, never queued.
 */
export type AdmissionLimits = { readonly concurrency: number; readonly perSecond: number };

export type Admission = { underWay: number; tokens: number; filledAtMs: number };

export const openAdmission = ({ perSecond }: AdmissionLimits, nowMs: number): Admission => ({
  underWay: 0,
  tokens: capacityOf(perSecond),
  filledAtMs: nowMs,
});

/** In place: takes a slot and a token, or says which of them is missing. */
export const admit = (
  admission: Admission,
  { concurrency, perSecond }: AdmissionLimits,
  nowMs: number,
): 'admitted' | 'concurrency' | 'rate' => {
  // A clock that was set back fills nothing.
  const elapsedMs = Math.max(0, nowMs - admission.filledAtMs);
  admission.tokens = Math.min(capacityOf(perSecond), admission.tokens + (elapsedMs / 1_000) * perSecond);
  admission.filledAtMs = nowMs;
  if (admission.underWay >= concurrency) return 'concurrency';
  if (admission.tokens < 1) return 'rate';
  admission.tokens -= 1;
  admission.underWay += 1;
  return 'admitted';
};

export const leave = (admission: Admission): void => {
  admission.underWay -= 1;
};

/** Less than one a second still lets one through. */
const capacityOf = (perSecond: number): number => Math.max(1, perSecond);
