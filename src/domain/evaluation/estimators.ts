/**
 * Estimators of what a candidate would have earned, as data. For record i: outcome r, weight w = candidate's probability of the logged action / logged probability, q what the reward model expects of
 * that action, d what it expects of the candidate. Each is the mean of terms
 *
 *   t_i = d_i + g(w_i) (r_i - q_i)                   without a model d = q = 0; normalised: g(w_i) / mean of g(w) in place of g(w_i)
 *
 * and differs in g alone. Another estimator is another line.
 */
export type Estimator = {
  readonly name: string;
  /** Does it use the reward model? */
  readonly model: boolean;
  /** g. Two estimators that share the function share the work. */
  readonly weight: (w: number) => number;
  readonly normalised: boolean;
};

const plain = (w: number): number => w;
const none = (): number => 0;
/** Truncated weights: Ionides 2008; Bottou et al., JMLR 2013. */
const clipped = (lambda: number) => (w: number) => Math.min(w, lambda);
const switched = (lambda: number) => (w: number) => (w <= lambda ? w : 0);
const shrunk = (lambda: number) => (w: number) => (lambda * w) / (w * w + lambda);
const subGaussian = (lambda: number) => (w: number) => w / (1 - lambda + lambda * w);

/** Inverse propensity weighting, g = w: Horvitz and Thompson, JASA 1952. Unbiased where the candidate is supported; its variance grows with the weights. */
const ipw: Estimator = { name: 'ipw', model: false, weight: plain, normalised: false };
/** Self-normalised, sum of w r / sum of w: Swaminathan and Joachims, NeurIPS 2015. Never leaves the range of outcomes. */
const snipw: Estimator = { name: 'snipw', model: false, weight: plain, normalised: true };
/** Direct method, g = 0: the reward model alone, as good as the model is. */
const dm: Estimator = { name: 'dm', model: true, weight: none, normalised: false };
/** Doubly robust, g = w: Dudik, Langford and Li, ICML 2011. Right if the propensities or the model are. */
const dr: Estimator = { name: 'dr', model: true, weight: plain, normalised: false };
/** Doubly robust with normalised weights: Thomas and Brunskill, ICML 2016. */
const sndr: Estimator = { name: 'sndr', model: true, weight: plain, normalised: true };

/** Estimators of one family by lambda, from the most bias and the least variance to none of it: at infinity g = w. */
export type TuningGrid = {
  readonly family: 'ipw' | 'dr' | 'switch-dr' | 'dr-os';
  readonly members: readonly { readonly lambda: number; readonly estimator: Estimator }[];
};

const steps = [1, 2, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000].map((lambda) => ({ lambda, clip: clipped(lambda) }));

const grid = (
  family: TuningGrid['family'],
  limit: Estimator,
  at: (step: (typeof steps)[number]) => Pick<Estimator, 'name' | 'weight'>,
): TuningGrid => ({
  family,
  members: [
    ...steps.map((step) => ({ lambda: step.lambda, estimator: { ...at(step), model: limit.model, normalised: false } })),
    { lambda: Infinity, estimator: limit },
  ],
});

/**
 * What the tuning rules choose from (`tuning.ts`).
 *   ipw, dr     g = min(w, lambda)
 *   switch-dr   g = w up to lambda, 0 above it: Wang, Agarwal and Dudik, ICML 2017
 *   dr-os       g = lambda w / (w^2 + lambda), optimistic shrinkage: Su, Dimakopoulou, Krishnamurthy and Dudik, ICML 2020
 */
export const tuningGrids: readonly TuningGrid[] = [
  grid('ipw', ipw, ({ lambda, clip }) => ({ name: `ipw_clip${lambda}`, weight: clip })),
  grid('dr', dr, ({ lambda, clip }) => ({ name: `dr_clip${lambda}`, weight: clip })),
  grid('switch-dr', dr, ({ lambda }) => ({ name: `switch-dr_${lambda}`, weight: switched(lambda) })),
  grid('dr-os', dr, ({ lambda }) => ({ name: `dr-os_${lambda}`, weight: shrunk(lambda) })),
];

/** Members of the grids that are reported whatever is chosen. Of dr none: shrinkage and switching improve on its clipping. */
const reported = [1, 2, 5, 10].flatMap((lambda) =>
  tuningGrids
    .filter(({ family }) => family !== 'dr')
    .flatMap(({ members }) => members.filter((member) => member.lambda === lambda).map(({ estimator }) => estimator)),
);

/** Sub-Gaussian weights, g = w / (1 - lambda + lambda w), never above 1 / lambda: Metelli, Russo and Restelli, NeurIPS 2021. */
const subGaussians = [0.01, 0.1].map((lambda): Estimator => ({
  name: `sg-ipw_${lambda}`,
  model: false,
  weight: subGaussian(lambda),
  normalised: false,
}));

/** What an evaluation reports. */
export const defaultEstimators: readonly Estimator[] = [ipw, snipw, dm, dr, sndr, ...reported, ...subGaussians];

/** What it computes: those and all that tuning chooses from, each once. */
export const allEstimators: readonly Estimator[] = [
  ...new Set([...defaultEstimators, ...tuningGrids.flatMap(({ members }) => members.map(({ estimator }) => estimator))]),
];
