/** All commands of `ferryman` together: what runs, what shells complete, and what man pages tell. */
import { Command } from 'commander';
import { abortCommand } from './commands/abort.ts';
import { completionCommand } from './commands/completion.ts';
import { agentCommand, brainCommand } from './commands/daemons.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { historyCommand } from './commands/history.ts';
import { holdCommand, releaseCommand } from './commands/hold.ts';
import { listCommand } from './commands/list.ts';
import { migrateCommand } from './commands/migrate.ts';
import { nkeyCommand } from './commands/nkey.ts';
import { predictCommand } from './commands/predict.ts';
import { replayCommand } from './commands/replay.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { watchCommand } from './commands/watch.ts';
import type { Finish } from './exit.ts';

const commands = [
  runCommand,
  migrateCommand,
  listCommand,
  watchCommand,
  abortCommand,
  holdCommand,
  releaseCommand,
  doctorCommand,
  predictCommand,
  explainCommand,
  replayCommand,
  historyCommand,
  reportCommand,
  agentCommand,
  brainCommand,
  nkeyCommand,
  completionCommand,
];

/** A fresh program; `finish` receives the exit code of the command that ran. */
export function createProgram(finish: Finish): Command {
  const program = new Command('ferryman')
    .description('Adaptive live migration for QEMU/KVM: gentle, fast, and explained at every step.')
    .version(process.env['FERRYMAN_VERSION'] ?? 'development')
    .showHelpAfterError('(ferryman --help lists the commands)')
    .addHelpText('after', exitCodeHelp)
    .exitOverride();
  for (const create of commands) {
    const command = create(finish).copyInheritedSettings(program);
    program.addCommand(
      command.showHelpAfterError(`(ferryman ${command.name()} --help lists the options)`),
    );
  }
  return program;
}

const exitCodeHelp = `
Exit codes: 0 ok, 2 usage, 3 unreachable, 4 migration did not complete, 5 refused by policy.`;
