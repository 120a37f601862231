import type { Logger } from 'pino';
import { createActor } from 'xstate';
import { TransientError } from '../errors.ts';
import type { Concern, Role } from './concern.ts';
import type { Delivery } from './delivery.ts';
import { createLife, judge, type ActorEvent, type CommandOutcome, type LifeRef } from './life.ts';

/**
 * Keeps one actor alive. An actor that dies is never repaired: another is started, which is rebuilt from the log, after a pause that doubles
 * with each death in a row. Commands find the living one, or are refused with a TransientError.
 */
export type Supervised<Command, Reply> = {
  readonly role: Role;
  readonly ask: (command: Command) => Reply;
  readonly phase: () => string;
  readonly restarts: () => number;
  /** Resolves when the actor is live; rejects when it does not come to life in time, or is stopped before. */
  readonly live: (timeoutMs: number) => Promise<void>;
  readonly connection: (status: 'lost' | 'restored') => void;
  readonly drain: () => void;
  readonly stop: () => void;
};

const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** An actor that was live for so long has not died "in a row". */
const steadyMs = 30_000;

export const supervise = <State, Command, Reply>(
  concern: Concern<State, Command, Reply>,
  options: { readonly delivery: Pick<Delivery, 'position' | 'subscribe'>; readonly logger: Logger },
): Supervised<Command, Reply> => {
  const { delivery } = options;
  const logger = options.logger.child({ role: concern.role });
  const life = createLife(concern);
  let current: LifeRef<State, Command, Reply>;
  let unsubscribe: () => void = () => undefined;
  let phase = 'starting';
  let restarts = 0;
  let deathsInARow = 0;
  let isConnected = true;
  let isDraining = false;
  let timer: NodeJS.Timeout | undefined;
  const liveListeners = new Set<() => void>();

  const start = () => {
    let liveSinceMs: number | null = null;
    const actor = createActor(life);
    current = actor;
    actor.subscribe({
      next: (snapshot) => {
        if (snapshot.value === phase) return;
        phase = snapshot.value;
        logger.info({ phase }, 'actor changed phase');
        if (phase !== 'live') return;
        liveSinceMs ??= Date.now();
        // What was said while it could not hear.
        if (isDraining) tell({ type: 'drain' });
        else if (!isConnected) tell({ type: 'connection.lost' });
        for (const listener of [...liveListeners]) listener();
      },
      error: (error) => {
        unsubscribe();
        if (phase === 'stopped') return;
        phase = 'dead';
        deathsInARow = liveSinceMs !== null && Date.now() - liveSinceMs > steadyMs ? 1 : deathsInARow + 1;
        restarts++;
        const pauseMs = Math.min(firstPauseMs * 2 ** (deathsInARow - 1), longestPauseMs);
        logger.error({ err: error, pauseMs, restarts }, 'actor died; another is rebuilt from the log');
        timer = setTimeout(start, pauseMs);
      },
    });
    actor.start();
    if (concern.follows)
      unsubscribe = delivery.subscribe((entry) => {
        actor.send({ type: 'logged', entry });
      });
    actor.send({ type: 'start', atLeast: delivery.position() });
  };

  /** A dead or stopped actor hears nothing. */
  const tell = (event: ActorEvent) => {
    if (phase !== 'dead' && phase !== 'stopped') current.send(event);
  };

  start();

  return {
    role: concern.role,
    ask: (command) =>
      replyOf(phase === 'dead' || phase === 'stopped' ? { kind: 'refused', phase } : judge(concern, current, command), concern.role),
    phase: () => phase,
    restarts: () => restarts,
    live: (timeoutMs) =>
      new Promise<void>((resolve, reject) => {
        const settle = () => {
          clearTimeout(deadline);
          liveListeners.delete(settle);
          if (phase === 'live' || phase === 'degraded' || phase === 'draining') resolve();
          else
            reject(
              new TransientError('actor-not-live', `${concern.role} is ${phase}, expected it to be live within ${timeoutMs} ms`, 1_000),
            );
        };
        const deadline = setTimeout(settle, timeoutMs);
        liveListeners.add(settle);
        if (phase !== 'starting' && phase !== 'rebuilding' && phase !== 'dead') settle();
      }),
    connection: (status) => {
      isConnected = status === 'restored';
      tell({ type: isConnected ? 'connection.restored' : 'connection.lost' });
    },
    drain: () => {
      isDraining = true;
      tell({ type: 'drain' });
    },
    stop: () => {
      clearTimeout(timer);
      unsubscribe();
      tell({ type: 'stop' });
      phase = 'stopped';
      for (const listener of [...liveListeners]) listener();
    },
  };
};

const replyOf = <Reply>(outcome: CommandOutcome<Reply>, role: Role): Reply => {
  switch (outcome.kind) {
    case 'reply':
      return outcome.reply;
    case 'refused':
      throw new TransientError('actor-not-live', `${role} is ${outcome.phase}`, 200);
    case 'crashed':
      throw new TransientError('actor-crashed', `${role} died of a command and is rebuilt from the log`, 200, { cause: outcome.error });
  }
};
