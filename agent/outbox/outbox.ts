/**
 * Telemetry on its way out. What cannot be sent while the bus is away is kept in a bounded ring and
 * replayed, with its original times and numbers, into a subject of its own: history reads it,
 * nothing acts on it. So is what was sent shortly before the bus went away, since nobody can tell
 * whether it arrived; history takes a message that comes twice for one. What is not urgent waits a
 * moment for its like, and goes over the network together with it.
 */
import type { Bus } from '../../shared/bus.ts';
import type { Clock } from '../../shared/clock.ts';
import { encodeTelemetry } from '../../shared/codec.ts';
import type { Log } from '../../shared/log.ts';
import { buildSubject } from '../../shared/subjects.ts';
import type { TelemetryBody, TelemetryHeader } from '../../shared/telemetry.ts';
import { createRing, type RingLimits } from './outbox-ring.ts';

/** When something was seen, on both clocks. */
export type Stamp = Pick<TelemetryHeader, 'atMilliseconds' | 'agentMilliseconds'>;

export interface Outbox {
  /** The moment to give to `publish` for what is about to be asked for. */
  stamp(): Stamp;
  publish(body: TelemetryBody, stamp?: Stamp): void;
  /** The same for what nobody decides upon at once. */
  publishSoon(body: TelemetryBody, stamp: Stamp): void;
  /** Messages that waited for the bus too long, or were too many, and are lost. */
  readonly dropped: number;
}

export interface OutboxOptions extends RingLimits {
  readonly bus: Bus;
  readonly host: string;
  readonly agentBoot: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Long enough for the answers of all VMs that were asked at the same time. */
const gatherMilliseconds = 20;

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
  const gathering = gather(({ kind, payload }) => {
    const isSent = send(kind, payload);
    ring.keep({ payload, isSent, keptAtMilliseconds: clock.monotonicMilliseconds() });
  });
  const add = (body: TelemetryBody, seen: Stamp): void => {
    sequence += 1;
    try {
      const header = { host, agentBoot, sequence, ...seen };
      gathering.add({ kind: body.kind, payload: encodeTelemetry({ header, body }) });
    } catch (error) {
      log.error({ kind: body.kind, error }, 'a message could not be encoded');
    }
  };
  const publish = (body: TelemetryBody, seen: Stamp = stamp()): void => {
    add(body, seen);
    gathering.release();
  };
  bus.onConnectionChange((connected) => {
    if (!connected) return;
    const droppedBefore = ring.dropped;
    ring.replay((payload) => send('replay', payload), clock.monotonicMilliseconds());
    if (droppedBefore === 0) return;
    publish({ kind: 'alert', message: `${String(droppedBefore)} messages were lost in all` });
  });
  return {
    stamp,
    publish,
    publishSoon(body, seen) {
      add(body, seen);
      gathering.releaseSoon();
    },
    get dropped() {
      return ring.dropped;
    },
  };
}

interface Waiting {
  readonly kind: string;
  readonly payload: Uint8Array;
}

/** Keeps messages until they are released, all at once and in order. */
function gather(send: (message: Waiting) => void) {
  const waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const message of waiting.splice(0)) send(message);
  };
  return {
    add: (message: Waiting): void => void waiting.push(message),
    release,
    releaseSoon: (): void => {
      timer ??= setTimeout(release, gatherMilliseconds).unref();
    },
  };
}
