/** `ferryman agent` and `ferryman brain`: the daemons of a fleet, configured by a file. */
import { Command } from 'commander';
import { runAgent } from '../../agent/main.ts';
import { runBrain } from '../../brain/main.ts';
import { loadAgentConfig, loadBrainConfig, maskSecrets } from '../../shared/config.ts';
import { exitCodes, type Finish } from '../exit.ts';
import { onInterrupt } from '../interrupt.ts';

interface DaemonFlags {
  readonly config: string;
  readonly checkConfig?: boolean;
  readonly printConfig?: boolean;
}

/** What a daemon's `run` hands back. */
interface Running {
  stop(): Promise<void> | void;
}

interface Daemon<Config extends object> {
  readonly name: string;
  readonly description: string;
  readonly load: (path: string, environment: NodeJS.ProcessEnv) => Config;
  readonly run: (config: Config) => Promise<Running>;
}

/** `ferryman agent`. */
export function agentCommand(finish: Finish): Command {
  return daemonCommand(finish, {
    name: 'agent',
    description: "watch this host's QEMU processes and carry out what a brain decides",
    load: loadAgentConfig,
    run: runAgent,
  });
}

/** `ferryman brain`. */
export function brainCommand(finish: Finish): Command {
  return daemonCommand(finish, {
    name: 'brain',
    description: 'decide for the migrations that the agents see',
    load: loadBrainConfig,
    run: runBrain,
  });
}

function daemonCommand<Config extends object>(finish: Finish, daemon: Daemon<Config>): Command {
  return new Command(daemon.name)
    .description(daemon.description)
    .requiredOption('--config <file>', 'YAML file; FERRYMAN_* variables prevail over it')
    .option('--check-config', 'check the configuration and end')
    .option('--print-config', 'print the configuration in force, secrets masked, and end')
    .action(async ({ config: path, checkConfig, printConfig }: DaemonFlags) => {
      const config = daemon.load(path, process.env);
      if (printConfig === true) {
        process.stdout.write(`${JSON.stringify(maskSecrets(config), null, 2)}\n`);
      } else if (checkConfig === true) {
        process.stdout.write(`${path}: ok\n`);
      } else {
        await untilInterrupted(await daemon.run(config));
      }
      finish(exitCodes.ok);
    });
}

async function untilInterrupted(running: Running): Promise<void> {
  await new Promise<void>((resolve) => {
    const stopListening = onInterrupt(() => {
      stopListening();
      resolve();
    });
  });
  await running.stop();
}
