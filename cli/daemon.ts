/** What `ferryman agent` and `ferryman brain` have in common: daemons of a fleet, configured by a file. */
import { Command, InvalidArgumentError } from 'commander';
import { maskSecrets } from '../shared/config.ts';
import type { Reload } from '../shared/reload.ts';
import { exitCodes, type Finish } from './exit.ts';
import { onInterrupt } from './interrupt.ts';

type Settings = Readonly<Record<string, string>>;

interface DaemonFlags {
  readonly config: string;
  readonly set: Settings;
  readonly checkConfig?: boolean;
  readonly printConfig?: boolean;
}

/** What a daemon's `run` hands back. */
interface Running<Config> {
  readonly reload: Reload<Config>;
  stop(): Promise<void>;
}

/** One of them. */
export interface Daemon<Config extends object> {
  readonly name: string;
  readonly description: string;
  readonly load: (path: string, environment: NodeJS.ProcessEnv, flags: Settings) => Config;
  /** Throws when something that the configuration names cannot be used. */
  readonly check?: (config: Config) => void;
  readonly run: (config: Config) => Promise<Running<Config>>;
}

/** The command that runs a daemon until it is told to stop. */
export function daemonCommand<Config extends object>(
  finish: Finish,
  daemon: Daemon<Config>,
): Command {
  return new Command(daemon.name)
    .description(daemon.description)
    .requiredOption('--config <file>', 'YAML file; SIGHUP has it read again')
    .option('--set <key=value>', 'one setting, as in --set nats.url=nats://n:4222', collect, {})
    .option('--check-config', 'check the configuration and end')
    .option('--print-config', 'print the configuration in force, secrets masked, and end')
    .addHelpText('after', precedenceHelp)
    .action(async ({ config: path, set, checkConfig, printConfig }: DaemonFlags) => {
      const load = () => daemon.load(path, process.env, set);
      const config = load();
      if (printConfig === true) {
        process.stdout.write(`${JSON.stringify(maskSecrets(config), null, 2)}\n`);
      } else if (checkConfig === true) {
        daemon.check?.(config);
        process.stdout.write(`${path}: ok\n`);
      } else {
        await untilInterrupted(daemon, config, load);
      }
      finish(exitCodes.ok);
    });
}

const precedenceHelp = `
--set prevails over the environment (FERRYMAN_NATS_URL for nats.url), and that over the file.`;

function collect(text: string, before: Settings): Settings {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Write KEY=VALUE.');
  return { ...before, [key]: value };
}

/** Runs until SIGTERM or SIGINT; a second one does not wait for the farewell. */
async function untilInterrupted<Config extends object>(
  daemon: Daemon<Config>,
  config: Config,
  load: () => Config,
): Promise<void> {
  const starting = daemon.run(config);
  // Also heard while NATS is waited for: a hang-up must not end a daemon.
  const reload = () => void starting.then((running) => running.reload(load)).catch(() => undefined);
  process.on('SIGHUP', reload);
  const running = await starting;
  await new Promise<void>((resolve) => {
    const stopListening = onInterrupt(() => {
      stopListening();
      resolve();
    });
  });
  await running.stop();
  process.off('SIGHUP', reload);
}
