/** One JSON object per line on stderr; stdout belongs to results. */
import { pino, type DestinationStream } from 'pino';

export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

type Fields = Readonly<Record<string, unknown>>;

/** `fields` are for programs, `message` is for people. An `Error` goes under the field `error`. */
export interface Log {
  error(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  debug(fields: Fields, message: string): void;
}

// Written at once, so that the last words before a crash are not lost.
const stderr = () => pino.destination({ dest: 2, sync: true });

/** A log whose level can be changed while it is in use. */
export interface AdjustableLog extends Log {
  /** Without effect where FERRYMAN_LOG says another. */
  setLevel(level: LogLevel): void;
}

/**
 * A log of one part (`agent`, `brain`, ...). The environment's FERRYMAN_LOG, one of `logLevels`,
 * prevails over `defaultLevel`; a word that is no level is ignored.
 */
export function createLog(
  part: string,
  defaultLevel: LogLevel = 'info',
  environment: NodeJS.ProcessEnv = process.env,
  destination: DestinationStream = stderr(),
): AdjustableLog {
  const fixed = logLevels.find((name) => name === environment['FERRYMAN_LOG']);
  const options = {
    level: fixed ?? defaultLevel,
    base: { part },
    errorKey: 'error',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, destination);
  return Object.assign(logger, {
    setLevel: (level: LogLevel) => {
      logger.level = fixed ?? level;
    },
  });
}

/** The same log with fields that every line then has. */
export function withFields(log: Log, always: Fields): Log {
  return {
    error: (fields, message) => {
      log.error({ ...always, ...fields }, message);
    },
    warn: (fields, message) => {
      log.warn({ ...always, ...fields }, message);
    },
    info: (fields, message) => {
      log.info({ ...always, ...fields }, message);
    },
    debug: (fields, message) => {
      log.debug({ ...always, ...fields }, message);
    },
  };
}

/** For tests, and for callers that have no log. */
export const silentLog: AdjustableLog = {
  setLevel: () => undefined,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};
