/** Both ends belong to it. */
export type Interval = { readonly low: number; readonly high: number };
