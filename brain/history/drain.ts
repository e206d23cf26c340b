/**
 * Reads the stream of history and writes it to the database, batch by batch: what the database has
 * not taken stays in the stream, whoever fails. A batch may be written twice, which changes nothing.
 */
import { messageOf } from '../../shared/errors.ts';
import type { DurableStream, StoredMessage } from '../../shared/durable-stream.ts';
import type { Log } from '../../shared/log.ts';
import type { Deliver } from './delivery.ts';

export interface DrainOptions {
  readonly stream: Pick<DurableStream, 'next' | 'acknowledged' | 'oldest'>;
  readonly linesOf: (message: StoredMessage) => readonly string[];
  readonly deliver: Deliver;
  readonly log: Log;
  /** While it does not hold, nothing is read. */
  readonly isOn?: () => boolean;
  readonly batchMessages?: number;
  readonly pauseMilliseconds?: number;
}

export interface DrainCounts {
  readonly writtenLines: number;
  readonly refusedLines: number;
  /** Messages that the stream let go of before they could be read. */
  readonly droppedMessages: number;
}

export interface Drain {
  counts(): DrainCounts;
  /** Goes on until the stream has nothing more, for at most this long; what is left stays there. */
  finish(patienceMilliseconds: number): Promise<void>;
}

/** How soon somebody who begins to lead begins to read. */
const idleMilliseconds = 250;

const defaults = { batchMessages: 250, pauseMilliseconds: 1_000 };

/** Starts at once; its timers do not keep the process alive. */
export function startDrain(options: DrainOptions): Drain {
  const { log, isOn = () => true, pauseMilliseconds = defaults.pauseMilliseconds } = options;
  const state = { isFinishing: false, isGivenUp: false };
  const batches = createBatches(options, () => state.isGivenUp);
  const run = async (): Promise<void> => {
    let isAway = false;
    for (let hasMore = true; !state.isGivenUp && (hasMore || !state.isFinishing);) {
      try {
        hasMore = isOn() && (await batches.drainOne());
        if (!isOn()) await batches.rest();
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn({ error: messageOf(error) }, 'the stream of history is away');
        isAway = true;
        await pause(pauseMilliseconds);
      }
    }
  };
  const running = run();
  return {
    counts: batches.counts,
    finish: async (patienceMilliseconds) => {
      state.isFinishing = true;
      await Promise.race([running, pause(patienceMilliseconds)]);
      state.isGivenUp = true;
    },
  };
}

function createBatches(options: DrainOptions, isGivenUp: () => boolean) {
  const { stream, linesOf, deliver, batchMessages, pauseMilliseconds } = {
    ...defaults,
    ...options,
  };
  const count = { writtenLines: 0, refusedLines: 0, droppedMessages: 0 };
  let position: number | undefined;
  const insist: Deliver = async (lines) => {
    while (!isGivenUp()) {
      const refused = await deliver(lines);
      if (refused !== undefined) return refused;
      await pause(pauseMilliseconds);
    }
    return undefined;
  };
  return {
    counts: (): DrainCounts => ({ ...count }),
    /** What others read meanwhile is not missed. */
    rest: (): Promise<void> => {
      position = undefined;
      return pause(idleMilliseconds);
    },
    /** False when the stream was empty. */
    drainOne: async (): Promise<boolean> => {
      // What was lost between two readers is missed by the second.
      position ??= await stream.acknowledged();
      const messages = await stream.next(batchMessages);
      if (messages.length === 0) return false;
      const lines = messages.flatMap(linesOf);
      const refused = await insist(lines);
      if (refused === undefined) return true;
      count.refusedLines += refused;
      count.writtenLines += lines.length - refused;
      const before = position ?? Math.min(...positionsOf(messages)) - 1;
      count.droppedMessages += await lostAmong(messages, before, () => stream.oldest());
      position = Math.max(before, ...positionsOf(messages));
      for (const message of messages) message.acknowledge();
      return true;
    },
  };
}

/**
 * A stream that is filled faster than it hands out lets messages go in the middle of a batch too.
 * What is skipped and still there was handed to a reader that died, and will come again.
 */
async function lostAmong(
  messages: readonly StoredMessage[],
  before: number,
  askOldest: () => Promise<number>,
): Promise<number> {
  const skipped = skippedAmong(messages, before);
  if (skipped.length === 0) return 0;
  const oldest = await askOldest();
  return skipped.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, oldest) - from), 0);
}

/** The positions from `from` up to and without `to` that are not among the messages behind `before`. */
function skippedAmong(messages: readonly StoredMessage[], before: number) {
  const read = positionsOf(messages)
    .filter((position) => position > before)
    .sort((a, b) => a - b);
  return read.flatMap((to, index) => {
    const from = (read[index - 1] ?? before) + 1;
    return from < to ? [{ from, to }] : [];
  });
}

const positionsOf = (messages: readonly StoredMessage[]) =>
  messages.map(({ position }) => position);

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
