import type { Logger } from 'pino';

/**
 * Ends a process in order: on SIGTERM, on SIGINT when it has no parent, and when the parent that forked it is gone. The second signal ends it at once.
 * An error that nobody caught ends the process too, by way of its supervisor, which starts another: a process in an unknown state must not go on.
 */
export const onShutdown = (logger: Logger, close: () => Promise<void>): void => {
  let closing = false;
  const shutDown = (reason: string) => {
    if (closing) {
      if (reason !== 'parent gone') process.exit(1);
      return;
    }
    closing = true;
    logger.info({ reason }, 'stopping');
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => {
    shutDown('SIGTERM');
  });
  process.on('SIGINT', () => {
    // Ctrl-C reaches the whole group of processes: one that has a parent leaves the order of stopping to it.
    if (process.send === undefined) shutDown('SIGINT');
  });
  process.on('disconnect', () => {
    shutDown('parent gone');
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an error that nobody expected; this process ends');
    process.exit(1);
  });
};

/** Tells the parent, if there is one, that this process is ready. */
export const sayReady = (addresses: Readonly<Record<string, string>>): void => {
  process.send?.({ type: 'ready', addresses });
};
