/**
 * The queue between control and the database (P11: history can never slow control). `add` only
 * appends; one request at a time empties it; when the database is away the queue fills up, and then
 * the oldest lines go, counted.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { InfluxError } from './influx.ts';
import type { SendLines } from './influx.ts';

export interface WriterOptions {
  readonly send: SendLines;
  readonly log: Log;
  /** Runs once before the first write, again until it has succeeded, e.g. to make the database. */
  readonly prepare?: () => Promise<void>;
  /** About 200 bytes each. */
  readonly queueLines?: number;
  readonly batchLines?: number;
  readonly flushMilliseconds?: number;
  readonly longestPauseMilliseconds?: number;
}

export interface WriterCounts {
  readonly waitingLines: number;
  readonly writtenLines: number;
  /** Gone because the queue was full. */
  readonly droppedLines: number;
  /** Gone because the database will never take them. */
  readonly refusedLines: number;
}

export interface Writer {
  add(line: string): void;
  counts(): WriterCounts;
  /** Writes what is left, for at most this long; what then remains is counted as dropped. */
  close(patienceMilliseconds?: number): Promise<void>;
}

const defaults = {
  queueLines: 200_000,
  batchLines: 5_000,
  flushMilliseconds: 1_000,
  longestPauseMilliseconds: 30_000,
};

/** Starts the writer; its timer does not keep the process alive. */
export function createWriter(options: WriterOptions): Writer {
  const { queueLines, batchLines, flushMilliseconds, longestPauseMilliseconds } = {
    ...defaults,
    ...options,
  };
  const queue = createQueue(queueLines);
  const attempt = createAttempt(options);
  const count = { writtenLines: 0, refusedLines: 0 };
  let timer: NodeJS.Timeout | undefined;
  let pauseMilliseconds = flushMilliseconds;
  let writing = Promise.resolve();

  /** Writes one batch; false when the database did not answer and the batch waits on. */
  const writeBatch = async (): Promise<boolean> => {
    const { lines, done } = queue.take(batchLines);
    const outcome = await attempt(lines);
    if (outcome === 'later') return false;
    count[outcome === 'written' ? 'writtenLines' : 'refusedLines'] += lines.length;
    done();
    return true;
  };
  const drain = async (): Promise<void> => {
    let isUp = true;
    while (isUp && queue.length() > 0) isUp = await writeBatch();
    const next = isUp ? flushMilliseconds : 2 * pauseMilliseconds;
    pauseMilliseconds = Math.min(next, longestPauseMilliseconds);
  };
  const schedule = () => {
    timer = setTimeout(() => {
      writing = drain().then(schedule);
    }, pauseMilliseconds).unref();
  };
  schedule();
  return {
    add: queue.add,
    counts: () => ({ ...count, waitingLines: queue.length(), droppedLines: queue.dropped() }),
    close: async (patienceMilliseconds = 3_000) => {
      const lastWords = writing.then(drain).finally(() => {
        clearTimeout(timer);
      });
      await Promise.race([lastWords, pause(patienceMilliseconds)]);
      clearTimeout(timer);
      queue.clear();
    },
  };
}

type Outcome = 'written' | 'refused' | 'later';

/** One try at a batch. Failures are logged when they begin, not each time. */
function createAttempt({ send, prepare, log }: WriterOptions) {
  let isPrepared = prepare === undefined;
  let isFailing = false;
  return async (lines: readonly string[]): Promise<Outcome> => {
    try {
      if (!isPrepared) await prepare?.();
      isPrepared = true;
      await send(lines);
      if (isFailing) log.info({}, 'history is being written again');
      isFailing = false;
      return 'written';
    } catch (error) {
      const isFinal = isRefusal(error);
      if (!isFailing || isFinal) {
        log.warn({ error: messageOf(error), lines: lines.length, isFinal }, 'history not written');
      }
      isFailing = true;
      return isFinal ? 'refused' : 'later';
    }
  };
}

/** The lines themselves are at fault; sending them again would only block those behind. */
function isRefusal(error: unknown): boolean {
  const status = error instanceof InfluxError ? error.status : undefined;
  return status === 400 || status === 413 || status === 422;
}

function createQueue(capacity: number) {
  let lines: string[] = [];
  let dropped = 0;
  // Lines at the front that are under way; dropping the oldest shortens this too.
  let taken = 0;
  return {
    length: () => lines.length,
    dropped: () => dropped,
    add: (line: string) => {
      lines.push(line);
      // Room is made by the tenth, since each time moves the whole queue.
      if (lines.length <= capacity * 1.1) return;
      const surplus = lines.length - capacity;
      lines = lines.slice(surplus);
      taken = Math.max(0, taken - surplus);
      dropped += surplus;
    },
    take: (count: number) => {
      const batch = lines.slice(0, count);
      taken = batch.length;
      const done = () => {
        lines = lines.slice(taken);
        taken = 0;
      };
      return { lines: batch, done };
    },
    clear: () => {
      dropped += lines.length;
      lines = [];
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
