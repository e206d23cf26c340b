/**
 * The queue between control and what keeps history (P11: history can never slow control). `add` only
 * appends; one request at a time empties it; when nobody takes them the queue fills up, and then
 * the oldest lines go, counted.
 */
import type { Deliver } from './delivery.ts';

export interface WriterOptions {
  readonly deliver: Deliver;
  /** What waits at most; decisions are longer than samples, so both are bounded. */
  readonly queueLines?: number;
  readonly queueBytes?: number;
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
  queueBytes: 128 * 1024 * 1024,
  batchLines: 5_000,
  flushMilliseconds: 1_000,
  longestPauseMilliseconds: 30_000,
};

/** Starts the writer; its timer does not keep the process alive. */
export function createWriter(options: WriterOptions): Writer {
  const { batchLines, flushMilliseconds, longestPauseMilliseconds, ...bounds } = {
    ...defaults,
    ...options,
  };
  const queue = createQueue(bounds);
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

function createQueue({
  queueLines,
  queueBytes,
}: Required<Pick<WriterOptions, 'queueLines' | 'queueBytes'>>) {
  let lines: string[] = [];
  let bytes = 0;
  let dropped = 0;
  // Lines at the front that are under way; dropping the oldest shortens this too.
  let taken = 0;
  return {
    length: () => lines.length,
    dropped: () => dropped,
    add: (line: string) => {
      lines.push(line);
      bytes += line.length;
      // Room is made by the tenth, since each time moves the whole queue.
      if (lines.length <= queueLines * 1.1 && bytes <= queueBytes * 1.1) return;
      let surplus = 0;
      while (lines.length - surplus > queueLines || bytes > queueBytes) {
        bytes -= lines[surplus]?.length ?? 0;
        surplus += 1;
      }
      lines = lines.slice(surplus);
      taken = Math.max(0, taken - surplus);
      dropped += surplus;
    },
    take: (count: number) => {
      const batch = lines.slice(0, count);
      taken = batch.length;
      const done = () => {
        for (const line of lines.slice(0, taken)) bytes -= line.length;
        lines = lines.slice(taken);
        taken = 0;
      };
      return { lines: batch, done };
    },
    clear: () => {
      dropped += lines.length;
      [lines, bytes] = [[], 0];
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
