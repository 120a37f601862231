import { z } from 'zod';
import { PermanentError, TransientError } from '../errors.ts';
import { isAlive } from '../processes/run-file.ts';
import { askProjector, findProjector, isMeant, projectorStatusSchema, type SeenProjector } from './ask-projector.ts';
import { configOption, httpUrlOption, jsonOption, natsUrlOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { call } from './http.ts';
import { locateYard, type AddressOptions, type Located } from './locate.ts';
import { bytes, grouped, milliseconds } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { readStreamStates, type StreamStates } from './stream-states.ts';
import { writeTable } from './table.ts';
import { excerpt, type Terminal } from './terminal.ts';

/**
 * How the yard is doing, part by part. A part that does not answer is a line of the report, not the end of it.
 */
type Status = {
  readonly ready: boolean;
  readonly config: string | null;
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly alive: boolean }[];
  readonly addresses: { readonly http: string; readonly nats: string; readonly sql: string };
  readonly parts: readonly Part[];
  readonly streams: StreamStates['streams'];
  readonly queue: StreamStates['queue'];
  readonly projection: SeenProjector | null;
};

type Part = { readonly part: string; readonly ready: boolean; readonly detail: string };

export const addStatus: AddCommand = (program, terminal) => {
  const command = program
    .command('status')
    .summary('show how the yard is doing')
    .description(
      'Shows processes, actors, streams, the queue of requests and how far the projection is. Exit code 1 when a part is not ready, 3 when nothing answers.',
    )
    .addOption(jsonOption('one object'))
    .addOption(httpUrlOption())
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: AddressOptions) => status(terminal, options));
  withExamples(command, [
    ['./switchyard status', 'for people'],
    ['./switchyard status --json | jq .queue.waiting', 'for programs'],
    ['until ./switchyard status > /dev/null 2>&1; do sleep 1; done', 'wait until it is ready'],
  ]);
};

const status = async (terminal: Terminal, options: AddressOptions): Promise<void> => {
  const located = locateYard(options);
  const signal = terminal.interrupted();
  const [gateway, bus, projector] = await Promise.all([askGateway(located, signal), askBus(located), askForProjection(located)]);
  const parts = [...gateway, bus.part, projector.part];
  const report: Status = {
    ready: parts.every(({ ready }) => ready),
    config: located.settings.file,
    processes: processesOf(located),
    addresses: { http: located.http.url, nats: located.nats.url, sql: located.sql.url },
    parts,
    streams: bus.states?.streams ?? [],
    queue: bus.states?.queue ?? null,
    projection: projector.status,
  };
  await (options.json === true ? terminal.json(report) : show(terminal, report));
  if (report.ready) return;
  const failed = report.parts.filter(({ ready }) => !ready);
  process.exitCode = failed.length === report.parts.length ? exitCodes.unreachable : exitCodes.failed;
};

const readinessSchema = z.object({ parts: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string().optional() })) });

const askGateway = async (located: Located, signal: AbortSignal): Promise<readonly Part[]> => {
  try {
    const response = await call(located, 'http', '/readyz', { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
    const body = readinessSchema.safeParse(await response.json().catch(() => null));
    if (!body.success) return [{ part: 'gateway', ready: false, detail: `expected a yard at ${located.http.url}, got something else` }];
    const parts = Object.entries(body.data.parts).map(([part, { ready, detail = 'ready' }]) => ({ part, ready, detail }));
    return [{ part: 'gateway', ready: true, detail: located.http.url }, ...parts];
  } catch (error) {
    if (signal.aborted) throw error;
    return [{ part: 'gateway', ready: false, detail: error instanceof CommandError ? error.message : `no answer within ${patienceMs} ms` }];
  }
};

const askBus = async (located: Located): Promise<{ readonly part: Part; readonly states: StreamStates | null }> => {
  try {
    const states = await readStreamStates(located);
    const missing = states.streams.length === 0;
    return { part: { part: 'nats', ready: !missing, detail: missing ? 'no streams of a yard on this server' : states.server }, states };
  } catch (error) {
    if (!(error instanceof TransientError || error instanceof PermanentError)) throw error;
    return { part: { part: 'nats', ready: false, detail: error.message }, states: null };
  }
};

const askForProjection = async (located: Located): Promise<{ readonly part: Part; readonly status: SeenProjector | null }> => {
  try {
    const which = await findProjector(located, { timeoutMs: patienceMs });
    const status = await withBus(located, ({ messenger }) =>
      askProjector(messenger, { command: 'status' }, projectorStatusSchema, { which, timeoutMs: patienceMs }),
    );
    const behind = `${grouped(status.lagMessages)} messages (${milliseconds(status.lagMs)}) behind`;
    const another = isMeant(which, status, located) ? '' : `, of the database at ${status.sqlUrl}; nobody answers at ${located.sql.url}`;
    const detail = `${status.state}, ${behind}${status.fault === null ? '' : `: ${status.fault}`}${another}`;
    return { part: { part: 'projector', ready: status.state === 'following' && another === '', detail }, status };
  } catch (error) {
    if (!(error instanceof TransientError || error instanceof PermanentError || error instanceof CommandError)) throw error;
    return { part: { part: 'projector', ready: false, detail: error.message }, status: null };
  }
};

/** Long enough for a projector that is writing a large batch. */
const patienceMs = 3_000;

const processesOf = ({ run }: Located): Status['processes'] => {
  if (run === null) return [];
  const named = [{ name: 'up', pid: run.pid }, ...(run.natsPid === null ? [] : [{ name: 'nats-server', pid: run.natsPid }])];
  return named.map(({ name, pid }) => ({ name, pid, alive: isAlive(pid) }));
};

const show = async (terminal: Terminal, report: Status): Promise<void> => {
  await terminal.line(report.ready ? terminal.style('green', 'ready') : terminal.style('red', 'not ready'));
  for (const { name, pid, alive } of report.processes) await terminal.line(`process ${name} ${pid}${alive ? '' : ' is dead'}`);
  await terminal.line();
  await writeTable(
    terminal,
    [{ title: 'part' }, { title: 'state' }, { title: 'detail' }],
    report.parts.map(({ part, ready, detail }) => [part, ready ? 'ready' : 'not ready', excerpt(detail, 200)]),
  );
  if (report.streams.length === 0) return;
  await terminal.line();
  await writeTable(
    terminal,
    [
      { title: 'stream' },
      { title: 'first', align: 'right' },
      { title: 'last', align: 'right' },
      { title: 'messages', align: 'right' },
      { title: 'size', align: 'right' },
      { title: 'limit', align: 'right' },
    ],
    report.streams.map(({ name, first, last, messages, ...size }) => [
      name,
      first,
      last,
      grouped(messages),
      bytes(size.bytes),
      bytes(size.maxBytes),
    ]),
  );
  if (report.queue !== null) {
    const { waiting, underWay, redelivered } = report.queue;
    await terminal.line(
      `\nqueue: ${grouped(waiting)} waiting, ${grouped(underWay)} under way, ${grouped(redelivered)} of them handed out again`,
    );
  }
};
