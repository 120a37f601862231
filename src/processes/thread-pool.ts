/**
 * Threads for the embedded engine's queries. libuv reads the variable when its pool is first used, so the parent sets it for the projector.
 */
export const threadPoolSize = 16;
