/** The command line. Exit codes are in exit.ts; what commands print is in reporters/. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../shared/errors.ts';
import { abortCommand } from './commands/abort.ts';
import { agentCommand, brainCommand } from './commands/daemons.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { historyCommand } from './commands/history.ts';
import { nkeyCommand } from './commands/nkey.ts';
import { holdCommand, releaseCommand } from './commands/hold.ts';
import { listCommand } from './commands/list.ts';
import { migrateCommand } from './commands/migrate.ts';
import { predictCommand } from './commands/predict.ts';
import { replayCommand } from './commands/replay.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { watchCommand } from './commands/watch.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit.ts';

/** A process that something keeps alive after its work is done is ended after this time. */
const lingerMilliseconds = 1000;

/** Runs the command line and returns its exit code; never throws. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const program = createProgram((finished) => {
    code = finished;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return report(error);
  }
}

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
];

function createProgram(finish: (code: ExitCode) => void): Command {
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

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  process.stderr.write(`ferryman: ${messageOf(error)}\n`);
  return exitCodeOf(error);
}

// A reader that goes away (`ferryman run --json | head -1`) must not end a migration half-way.
process.stdout.on('error', () => undefined);
process.exitCode = await main(process.argv.slice(2));
setTimeout(() => process.exit(), lingerMilliseconds).unref();
