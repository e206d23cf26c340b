/**
 * Telemetry on its way out. What cannot be sent while the bus is away is kept in a bounded ring and
 * replayed, with its original times and numbers, into a subject of its own: history reads it,
 * nothing acts on it.
 */
import type { Bus } from '../shared/bus.ts';
import type { Clock } from '../shared/clock.ts';
import { encodeTelemetry } from '../shared/codec.ts';
import type { Log } from '../shared/log.ts';
import { buildSubject } from '../shared/subjects.ts';
import type { TelemetryBody, TelemetryHeader } from '../shared/telemetry.ts';

/** When something was seen, on both clocks. */
export type Stamp = Pick<TelemetryHeader, 'atMilliseconds' | 'agentMilliseconds'>;

export interface Outbox {
  /** The moment to give to `publish` for what is about to be asked for. */
  stamp(): Stamp;
  publish(body: TelemetryBody, stamp?: Stamp): void;
  /** Messages that waited for the bus too long, or were too many, and are lost. */
  readonly dropped: number;
}

export interface OutboxOptions {
  readonly bus: Bus;
  readonly host: string;
  readonly agentBoot: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ringMilliseconds?: number;
  readonly ringBytes?: number;
}

interface Kept {
  readonly payload: Uint8Array;
  readonly agentMilliseconds: number;
}

/** Ten minutes of a host with twenty VMs are about 2 MB. */
const defaultRingMilliseconds = 600_000;
const defaultRingBytes = 16 * 1024 * 1024;

/** An outbox that replays by itself whenever the bus comes back. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { bus, host, agentBoot, clock, log } = options;
  const ring = createRing(options);
  let sequence = 0;

  const stamp = (): Stamp => ({
    atMilliseconds: clock.wallMilliseconds(),
    agentMilliseconds: clock.monotonicMilliseconds(),
  });
  const send = (kind: string, payload: Uint8Array): boolean =>
    bus.publish(buildSubject({ channel: 'tel', host, kind }), payload);
  const publish = (body: TelemetryBody, seen: Stamp = stamp()): void => {
    sequence += 1;
    let payload: Uint8Array;
    try {
      payload = encodeTelemetry({ header: { host, agentBoot, sequence, ...seen }, body });
    } catch (error) {
      log.error({ kind: body.kind, error }, 'a message could not be encoded');
      return;
    }
    if (!send(body.kind, payload)) ring.keep({ payload, ...seen });
  };
  bus.onConnectionChange((connected) => {
    if (!connected) return;
    const droppedBefore = ring.dropped;
    ring.drain(({ payload }) => send('replay', payload));
    if (droppedBefore === 0) return;
    publish({ kind: 'alert', message: `${String(droppedBefore)} messages were lost in all` });
  });
  return {
    stamp,
    publish,
    get dropped() {
      return ring.dropped;
    },
  };
}

interface Ring {
  readonly dropped: number;
  keep(message: Kept): void;
  /** Hands out the oldest first, for as long as they are taken. */
  drain(take: (message: Kept) => boolean): void;
}

function createRing(options: OutboxOptions): Ring {
  const { ringMilliseconds = defaultRingMilliseconds, ringBytes = defaultRingBytes } = options;
  let kept: Kept[] = [];
  let bytes = 0;
  let dropped = 0;

  const isTooMuch = (oldest: Kept, newest: Kept): boolean =>
    bytes > ringBytes || newest.agentMilliseconds - oldest.agentMilliseconds > ringMilliseconds;
  return {
    get dropped() {
      return dropped;
    },
    keep(message) {
      kept.push(message);
      bytes += message.payload.length;
      let first = 0;
      for (; isTooMuch(kept[first] ?? message, message); first += 1) {
        bytes -= kept[first]?.payload.length ?? 0;
      }
      dropped += first;
      if (first > 0) kept = kept.slice(first);
    },
    drain(take) {
      const firstLeft = kept.findIndex((message) => !take(message));
      kept = firstLeft === -1 ? [] : kept.slice(firstLeft);
      bytes = kept.reduce((sum, { payload }) => sum + payload.length, 0);
    },
  };
}
