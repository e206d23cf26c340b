/** The latest messages of an agent: all that could not be sent, and those whose arrival is in doubt. */

export interface RingLimits {
  readonly ringMilliseconds?: number;
  readonly ringBytes?: number;
}

interface Kept {
  readonly payload: Uint8Array;
  isSent: boolean;
  /** When it was sent, or could not be; monotonic. */
  keptAtMilliseconds: number;
}

export interface Ring {
  /** Unsent messages that are lost, for want of room or of time. */
  readonly dropped: number;
  keep(message: Kept): void;
  /** Hands out the oldest first, for as long as they are taken. */
  replay(take: (payload: Uint8Array) => boolean, atMilliseconds: number): void;
}

/** Ten minutes of a host with twenty VMs are about 2 MB. */
const defaultRingMilliseconds = 600_000;
const defaultRingBytes = 16 * 1024 * 1024;

/** A connection that fell silent is given up after three pings of 5 s; what came later was stored. */
const doubtMilliseconds = 20_000;

/** An empty ring. */
export function createRing(limits: RingLimits): Ring {
  const { ringMilliseconds = defaultRingMilliseconds, ringBytes = defaultRingBytes } = limits;
  let kept: Kept[] = [];
  let bytes = 0;
  let dropped = 0;

  const isSettled = (oldest: Kept, newest: Kept): boolean =>
    oldest.isSent &&
    newest.isSent &&
    newest.keptAtMilliseconds - oldest.keptAtMilliseconds > doubtMilliseconds;
  const isTooMuch = (oldest: Kept, newest: Kept): boolean =>
    bytes > ringBytes || newest.keptAtMilliseconds - oldest.keptAtMilliseconds > ringMilliseconds;
  /** Length of the front that need not, or cannot, be kept beside the newest. */
  const measureFront = (newest: Kept): number => {
    let length = 0;
    for (const oldest of kept) {
      const isLost = isTooMuch(oldest, newest);
      if (!isLost && !isSettled(oldest, newest)) break;
      bytes -= oldest.payload.length;
      if (isLost && !oldest.isSent) dropped += 1;
      length += 1;
    }
    return length;
  };
  return {
    get dropped() {
      return dropped;
    },
    keep(message) {
      kept.push(message);
      bytes += message.payload.length;
      const front = measureFront(message);
      if (front > 0) kept = kept.slice(front);
    },
    replay(take, atMilliseconds) {
      for (const message of kept) {
        if (!take(message.payload)) return;
        message.isSent = true;
        message.keptAtMilliseconds = atMilliseconds;
      }
    },
  };
}
