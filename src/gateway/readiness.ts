/** One part that requests depend on: the bus, the router, ... */
export type PartReadiness = { readonly part: string; readonly ready: boolean; readonly detail?: string };

/** Asked at each call of /readyz; given by the process that knows its parts. */
export type CheckReadiness = () => readonly PartReadiness[] | Promise<readonly PartReadiness[]>;

export const readinessBody = (parts: readonly PartReadiness[]) => ({
  status: parts.every(({ ready }) => ready) ? 'ready' : 'not_ready',
  parts: Object.fromEntries(parts.map(({ part, ...rest }) => [part, rest])),
});
