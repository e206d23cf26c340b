/**
 * Everybody who watches the page. Frames go out at a pace that leaves the brain its time, and to a
 * reader whose socket is full none goes at all: nothing is queued here (P11).
 */
import type { ServerResponse } from 'node:http';
import type { Feed } from './feed.ts';

/** Quick enough for the eye. */
const paceMilliseconds = 200;
/** At most one part in so many of the brain's time is spent on frames. */
const restFactor = 20;
/** A socket that has taken nothing for so long belongs to nobody. */
const stuckMilliseconds = 30_000;
const mostReaders = 64;

export interface Readers {
  /** Begins to send; false when there are too many readers already. */
  add(response: ServerResponse, feed: Feed): boolean;
  /** Tells everybody how it stands in the end. */
  close(): void;
}

interface Reader {
  readonly response: ServerResponse;
  readonly feed: Feed;
  takenAtMilliseconds: number;
}

/** `now` is Unix milliseconds. */
export function createReaders(now: () => number): Readers {
  const readers = new Set<Reader>();
  let timer: NodeJS.Timeout | undefined;

  const beat = () => {
    const startedAt = performance.now();
    for (const reader of readers) send(reader, now());
    const rest = (performance.now() - startedAt) * restFactor;
    timer = readers.size === 0 ? undefined : setTimeout(beat, Math.max(paceMilliseconds, rest));
  };
  return {
    add: (response, feed) => {
      if (readers.size >= mostReaders) return false;
      const reader = { response, feed, takenAtMilliseconds: now() };
      readers.add(reader);
      response.on('close', () => readers.delete(reader));
      send(reader, now());
      timer ??= setTimeout(beat, paceMilliseconds);
      return true;
    },
    close: () => {
      clearTimeout(timer);
      for (const reader of readers) {
        send(reader, now());
        reader.response.end();
      }
      readers.clear();
    },
  };
}

function send(reader: Reader, nowMilliseconds: number): void {
  const { response, feed, takenAtMilliseconds } = reader;
  if (response.writableNeedDrain) {
    if (nowMilliseconds - takenAtMilliseconds > stuckMilliseconds) response.destroy();
    return;
  }
  reader.takenAtMilliseconds = nowMilliseconds;
  const frame = feed.next(nowMilliseconds);
  if (frame !== undefined) response.write(`data: ${JSON.stringify(frame)}\n\n`);
}
