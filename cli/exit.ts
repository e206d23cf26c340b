/** Exit codes of every command: a contract that scripts rely on. */
export const exitCodes = {
  ok: 0,
  usage: 2,
  unreachable: 3,
  incomplete: 4,
  refused: 5,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with this exit code; the message goes to stderr as it is and names the remedy. */
export class ExitError extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExitError';
    this.exitCode = exitCode;
  }
}

/** Receives the exit code of a command that ran to its end. */
export type Finish = (code: ExitCode) => void;
