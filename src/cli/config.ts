import { stringify } from 'yaml';
import { loadConfig, requireApiKeys } from '../config/load.ts';
import { ConfigError } from '../config/config-error.ts';
import { policyWarnings } from '../config/policy-warnings.ts';
import { configOption, jsonOption, withExamples, type AddCommand, type CommonOptions } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** The configuration as a process would run with it: file, environment and defaults together. Nothing is started and nothing is written. */
export const addConfig: AddCommand = (program, terminal) => {
  const config = program
    .command('config')
    .summary('check or show the configuration')
    .description('The configuration as a process would run with it.');
  const check = config
    .command('check')
    .description('Reads the configuration and tells every mistake with its place; exit code 2 when there is one.')
    .addOption(jsonOption('{"ok","file","problems":[{"where","line","expected","seen"}],"warnings":[...]}'))
    .addOption(configOption())
    .action((options: CommonOptions) => checkConfig(terminal, options));
  withExamples(check, [
    ['./switchyard config check', 'switchyard.yaml and the environment'],
    ['./switchyard config check --config staging.yaml', 'another file'],
  ]);
  const show = config
    .command('show')
    .description('Prints the effective configuration as YAML that can be used again. Of secrets it says only whether they are set.')
    .addOption(jsonOption('{"file","config","secrets"}'))
    .addOption(configOption())
    .action((options: CommonOptions) => showConfig(terminal, options));
  withExamples(show, [
    ['./switchyard config show', 'with all defaults'],
    ['SWITCHYARD_HTTP_PORT=9000 ./switchyard config show --json | jq .config.http', 'what a variable changes'],
  ]);
};

const checkConfig = async (terminal: Terminal, options: CommonOptions): Promise<void> => {
  try {
    const settings = loadConfig({ file: options.config });
    requireApiKeys(settings);
    const { config, file } = settings;
    const warnings = policyWarnings(config);
    if (options.json === true) await terminal.json({ ok: true, file, problems: [], warnings });
    else {
      for (const warning of warnings) terminal.note(`${terminal.noteStyle('yellow', 'warning')} ${warning}`);
      await terminal.line(
        `${file ?? 'built in'}: ok (${config.models.length} models, ${config.arms.length} arms, ${config.tenants.length} tenants, policy ${config.policy.id})`,
      );
    }
  } catch (error) {
    if (!(error instanceof ConfigError) || options.json !== true) throw error;
    await terminal.json({ ok: false, file: error.source, problems: error.problems });
    process.exitCode = exitCodes.usage;
  }
};

const showConfig = async (terminal: Terminal, options: CommonOptions): Promise<void> => {
  const { config, secrets, file } = loadConfig({ file: options.config });
  const given = { NATS_PASSWORD: secrets.natsPassword !== undefined, CLICKHOUSE_PASSWORD: secrets.clickhousePassword !== undefined };
  const keys = config.models.flatMap(({ provider }) =>
    provider.kind === 'openai-compatible' && provider.apiKeyEnv !== undefined ? [provider.apiKeyEnv] : [],
  );
  const state = { ...given, ...Object.fromEntries(keys.map((name) => [name, secrets.apiKeys.has(name)])) };
  const masked = Object.fromEntries(Object.entries(state).map(([name, isSet]) => [name, isSet ? 'set' : 'not set']));
  if (options.json === true) {
    await terminal.json({ file, config, secrets: masked });
    return;
  }
  await terminal.line(`# ${file ?? 'built in'}, the environment and the defaults`);
  await terminal.line(
    `# secrets, from the environment: ${Object.entries(masked)
      .map(([name, said]) => `${name} ${said}`)
      .join(', ')}`,
  );
  await terminal.write(stringify(config, { lineWidth: 0 }));
};
