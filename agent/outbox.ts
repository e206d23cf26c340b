/**
 * Telemetry on its way out. What cannot be sent while the bus is away is kept in a bounded ring and
 * replayed, with its original times and numbers, into a subject of its own: history reads it,
 * nothing acts on it. So is what was sent shortly before the bus went away, since nobody can tell
 * whether it arrived; history takes a message that comes twice for one.
 */
import type { Bus } from '../shared/bus.ts';
import type { Clock } from '../shared/clock.ts';
import { encodeTelemetry } from '../shared/codec.ts';
import type { Log } from '../shared/log.ts';
import { buildSubject } from '../shared/subjects.ts';
import type { TelemetryBody, TelemetryHeader } from '../shared/telemetry.ts';
import { createRing, type RingLimits } from './outbox-ring.ts';

/** When something was seen, on both clocks. */
export type Stamp = Pick<TelemetryHeader, 'atMilliseconds' | 'agentMilliseconds'>;

export interface Outbox {
  /** The moment to give to `publish` for what is about to be asked for. */
  stamp(): Stamp;
  publish(body: TelemetryBody, stamp?: Stamp): void;
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
    const isSent = send(body.kind, payload);
    ring.keep({ payload, isSent, keptAtMilliseconds: clock.monotonicMilliseconds() });
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
    get dropped() {
      return ring.dropped;
    },
  };
}
