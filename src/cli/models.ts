import { z } from 'zod';
import { configOption, httpUrlOption, jsonOption, withExamples, type AddCommand } from './command.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { call } from './http.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

const listSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      switchyard: z.object({ kind: z.enum(['auto', 'model', 'arm']), model: z.string().optional(), simulated: z.boolean().optional() }),
    }),
  ),
});

export const addModels: AddCommand = (program, terminal) => {
  const command = program
    .command('models')
    .summary('list what can be asked for')
    .description('Lists what the running yard takes as a model: auto, its models and its arms.')
    .addOption(jsonOption('the answer of GET /v1/models'))
    .addOption(httpUrlOption())
    .addOption(configOption())
    .action((options: AddressOptions) => models(terminal, options));
  withExamples(command, [
    ['./switchyard models', 'a table'],
    ["./switchyard models --json | jq -r '.data[].id'", 'names only'],
  ]);
};

const models = async (terminal: Terminal, options: AddressOptions): Promise<void> => {
  const response = await call(locateYard(options), 'http', '/v1/models', { signal: terminal.interrupted() });
  const body: unknown = response.ok ? await response.json().catch(() => null) : null;
  const list = listSchema.safeParse(body);
  if (!list.success)
    throw new CommandError(
      exitCodes.failed,
      `expected the models of a yard at ${response.url}, got status ${response.status} and something else`,
    );
  if (options.json === true) {
    await terminal.json(body);
    return;
  }
  await writeTable(
    terminal,
    [{ title: 'name' }, { title: 'is' }, { title: 'model' }, { title: 'made by' }],
    list.data.data.map(({ id, switchyard: { kind, model, simulated } }) =>
      kind === 'auto'
        ? [id, 'the choice of the router', '', '']
        : [id, kind, model ?? '', simulated === true ? 'simulation' : 'a provider'],
    ),
  );
};
