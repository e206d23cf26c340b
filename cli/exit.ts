import { FerrymanError } from '../shared/errors.ts';

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

/** Errors of other rooms that are no failure of the migration, by their code. */
const codesOfErrors: Readonly<Record<string, ExitCode>> = {
  AMBIGUOUS_VM: exitCodes.usage,
  BAD_ORDER: exitCodes.usage,
  CONFIG: exitCodes.usage,
  ID_TAKEN: exitCodes.usage,
  POLICY: exitCodes.usage,
  SAME_VM: exitCodes.usage,
  TRACE: exitCodes.usage,
  UNKNOWN_POLICY: exitCodes.usage,
  UUID_MISMATCH: exitCodes.usage,
  DISCONNECTED: exitCodes.unreachable,
  INFLUX: exitCodes.unreachable,
  NATS_SERVER_FAILED: exitCodes.unreachable,
  NATS_SERVER_MISSING: exitCodes.unreachable,
  NO_RESPONDERS: exitCodes.unreachable,
  REFUSED: exitCodes.unreachable,
  TIMEOUT: exitCodes.unreachable,
  UNKNOWN_HOST: exitCodes.unreachable,
  UNKNOWN_MIGRATION: exitCodes.unreachable,
  UNKNOWN_VM: exitCodes.unreachable,
  MODE: exitCodes.refused,
  NO_DESTINATION: exitCodes.refused,
  PREFLIGHT: exitCodes.refused,
  VM_HELD: exitCodes.refused,
  VM_BUSY: exitCodes.refused,
};

/** The exit code of a command that threw. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof ExitError) return thrown.exitCode;
  const known = thrown instanceof FerrymanError ? codesOfErrors[thrown.code] : undefined;
  return known ?? exitCodes.incomplete;
}
