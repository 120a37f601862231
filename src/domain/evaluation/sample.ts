/**
 * Logged decisions as an evaluation sees them, in columns: entry i of each array belongs to record i. An evaluation takes any number of samples one after the other, in the order of the log, so that
 * a log of any length is evaluated in bounded memory.
 */
export type Sample = {
  readonly size: number;
  /** What came of the decision: a reward, dollars, milliseconds, 1 for a failure. Never NaN: records of which nothing came are counted apart, as censored. */
  readonly outcome: Float64Array;
  /** Probability with which the logger chose the action that was logged, above 0 and at most 1. */
  readonly logged: Float64Array;
  /** Probability with which the candidate chooses that action, 0 to 1. */
  readonly candidate: Float64Array;
  /** What the reward model expects of that action: q(x, a). 0 where there is no model. */
  readonly predicted: Float64Array;
  /** What it expects of the candidate: the sum over actions of the candidate's probability times q(x, action). */
  readonly expected: Float64Array;
  /** The candidate's probability of actions that the logger could not have chosen here. */
  readonly unsupported: Float64Array;
  /** What the weight, candidate / logged, could have come to at most, whichever action had been drawn: known before it was. Infinity: not known. */
  readonly weightLimit: Float64Array;
  /** Records of one cluster (a conversation) depend on each other: they are resampled together. Any whole number below 2^32. */
  readonly cluster: Uint32Array;
};
