/**
 * The queue between control and what keeps history (P11: history can never slow control). `add` only
 * appends; one request at a time empties it; when nobody takes them the queue fills up, and then
 * the oldest lines go, counted.
 */
import type { Deliver } from './delivery.ts';

export interface WriterOptions {
  readonly deliver: Deliver;
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
  /** Gone because they will never be taken. */
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
  const { deliver } = options;
  const count = { writtenLines: 0, refusedLines: 0 };
  let timer: NodeJS.Timeout | undefined;
  let pauseMilliseconds = flushMilliseconds;
  let writing = Promise.resolve();

  /** Writes one batch; false when nobody answered and the batch waits on. */
  const writeBatch = async (): Promise<boolean> => {
    const { lines, done } = queue.take(batchLines);
    const refused = await deliver(lines);
    if (refused === undefined) return false;
    count.refusedLines += refused;
    count.writtenLines += lines.length - refused;
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
