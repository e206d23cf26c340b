/** All commands of `ferryman` together: what runs, what shells complete, and what man pages tell. */
import { Command } from 'commander';
import type { Finish } from './exit.ts';

type CreateCommand = (finish: Finish) => Command;

/** In the order of the help. Each is loaded when it is asked for: what an agent loads it holds for weeks. */
const commands: Readonly<Record<string, () => Promise<CreateCommand>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand,
  list: async () => (await import('./commands/list.ts')).listCommand,
  watch: async () => (await import('./commands/watch.ts')).watchCommand,
  abort: async () => (await import('./commands/abort.ts')).abortCommand,
  hold: async () => (await import('./commands/hold.ts')).holdCommand,
  release: async () => (await import('./commands/hold.ts')).releaseCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  predict: async () => (await import('./commands/predict.ts')).predictCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  history: async () => (await import('./commands/history.ts')).historyCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand,
  agent: async () => (await import('./commands/agent.ts')).agentCommand,
  brain: async () => (await import('./commands/brain.ts')).brainCommand,
  nkey: async () => (await import('./commands/nkey.ts')).nkeyCommand,
  completion: async () => (await import('./commands/completion.ts')).completionCommand,
};

/**
 * A fresh program with the command that `wanted` names, or with all of them; `finish` receives the
 * exit code of the command that ran.
 */
export async function createProgram(finish: Finish, wanted?: string): Promise<Command> {
  const program = new Command('ferryman')
    .description('Adaptive live migration for QEMU/KVM: gentle, fast, and explained at every step.')
    .version(process.env['FERRYMAN_VERSION'] ?? 'development')
    .showHelpAfterError('(ferryman --help lists the commands)')
    .addHelpText('after', exitCodeHelp)
    .exitOverride();
  for (const load of loadersOf(wanted)) {
    const create = await load();
    const command = create(finish).copyInheritedSettings(program);
    program.addCommand(
      command.showHelpAfterError(`(ferryman ${command.name()} --help lists the options)`),
    );
  }
  return program;
}

/** What shells complete is made of all commands. */
function loadersOf(wanted = ''): readonly (() => Promise<CreateCommand>)[] {
  const load = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined;
  return load && wanted !== 'completion' ? [load] : Object.values(commands);
}

const exitCodeHelp = `
Exit codes: 0 ok, 2 usage, 3 unreachable, 4 migration did not complete, 5 refused by policy.`;
