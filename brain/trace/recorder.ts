/** Writes one migration to a file as it happens, see trace.ts; control never waits for it. */
import { createWriteStream, openSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Listener } from '../listeners.ts';
import { TraceError, traceHeader } from './trace.ts';
import type { TraceLine } from './trace.ts';

export interface Recorder {
  /** Give this to the service. */
  readonly listener: Listener;
  /** Ends the file; resolves once all lines are in it, or could not be. */
  close(): Promise<void>;
}

/** Lines wait for one another this long: a write for each costs more than the line. */
const gatherMilliseconds = 500;

/**
 * Records the first migration it hears of into `path`, which is overwritten. Throws TraceError when
 * the file cannot be opened; a disk that fills up later is logged and ends the record.
 */
export function createRecorder(path: string, log: Log): Recorder {
  const stream = createWriteStream(path, { fd: open(path) });
  stream.on('error', (error) => {
    log.error({ path, error: messageOf(error) }, 'the record ends here; control goes on');
  });
  stream.cork();
  const timer = setInterval(() => {
    stream.uncork();
    stream.cork();
  }, gatherMilliseconds);
  const listener = recordLines((line) => {
    stream.write(`${JSON.stringify(line)}\n`);
  });
  return {
    listener,
    close: async () => {
      clearInterval(timer);
      stream.end();
      await finished(stream).catch(() => undefined);
    },
  };
}

/** The pure half: hands out the lines of the first migration it hears of. */
export function recordLines(write: (line: TraceLine) => void): Listener {
  let recorded: string | undefined;
  return {
    onInput: (migration, input) => {
      if (recorded === undefined) write(traceHeader(migration, input.atMilliseconds));
      recorded ??= migration.id;
      if (migration.id === recorded) write({ type: 'input', input });
    },
    onDecision: ({ id }, decision) => {
      if (id === recorded) write({ type: 'decision', decision });
    },
    onSettled: ({ id }, result) => {
      if (id === recorded) write({ type: 'result', ...result });
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'w', 0o640);
  } catch (error) {
    throw new TraceError(`cannot record: ${messageOf(error)}`, { cause: error });
  }
}
