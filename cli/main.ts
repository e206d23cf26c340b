/** The command line. Exit codes are in exit.ts; what commands print is in reporters/. */
import { CommanderError } from 'commander';
import { messageOf } from '../shared/errors.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit.ts';
import { createProgram } from './program.ts';

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
