/** The command line. Exit codes are in exit.ts; what commands print is in reporters/. */
import { CommanderError } from 'commander';
import { FerrymanError, messageOf } from '../shared/errors.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit.ts';
import { createProgram } from './program.ts';

/** A process that something keeps alive after its work is done is ended after this time. */
const lingerMilliseconds = 1000;

/** Runs the command line and returns its exit code; never throws. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const finish = (finished: ExitCode): void => {
    code = finished;
  };
  try {
    const program = await createProgram(finish, argv[0]);
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, argv.includes('--json'));
  }
}

/** People read it on standard error; scripts find it as the last line of what they parse. */
function report(error: unknown, json: boolean): ExitCode {
  const exitCode = codeOf(error);
  if (exitCode === exitCodes.ok) return exitCode;
  const message = messageOf(error).replace(/^error: /, '');
  // commander has said its own already, with a hint.
  if (!(error instanceof CommanderError)) process.stderr.write(`ferryman: ${message}\n`);
  if (json) {
    const code = error instanceof FerrymanError ? error.code : undefined;
    process.stdout.write(`${JSON.stringify({ type: 'error', exitCode, code, message })}\n`);
  }
  return exitCode;
}

function codeOf(error: unknown): ExitCode {
  if (!(error instanceof CommanderError)) return exitCodeOf(error);
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}

// A reader that goes away (`ferryman run --json | head -1`) must not end a migration half-way.
process.stdout.on('error', () => undefined);
process.exitCode = await main(process.argv.slice(2));
setTimeout(() => process.exit(), lingerMilliseconds).unref();
