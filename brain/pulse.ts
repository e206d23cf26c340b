/**
 * The brain's life: it listens always; while it leads, and the bus is there, it sends the beacon, lets
 * time pass for the migrations in hand and gives them what is heard. After a while without, they are
 * told so first: that nobody listened is not that nobody spoke.
 */
import type { Bus, Subscription } from '../shared/bus.ts';
import type { Clock } from '../shared/clock.ts';
import { encodeBeacon } from '../shared/codec.ts';
import { beaconSubject, everyHost, hostId } from '../shared/subjects.ts';
import type { Migrations } from './migrations/migrations.ts';
import type { Legacy } from './migrations/take-over.ts';

/** What time alone brings (deadlines, silence) is counted in seconds. */
const tickMilliseconds = 250;
const beaconMilliseconds = 500;
/** Shorter than the silence after which anybody draws a conclusion, longer than a slow machine's hiccup. */
const lapseMilliseconds = 1_500;

export interface PulseOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly epoch: () => number | undefined;
  /** Its name in the beacon. */
  readonly name?: string;
  readonly isPrivate?: boolean;
  readonly migrations: Migrations;
}

export interface Pulse {
  start(): void;
  stop(): void;
  readonly route: Migrations['route'];
  readonly takeOver: (legacy: Legacy) => void;
}

/** Nothing happens before `start`. */
export function createPulse(
  { bus, clock, epoch, name = 'brain', isPrivate = false, migrations }: PulseOptions,
  onTelemetry: (subject: string, payload: Uint8Array) => void,
): Pulse {
  let subscription: Subscription | undefined;
  let timers: readonly NodeJS.Timeout[] = [];
  let attentiveAtMilliseconds = clock.monotonicMilliseconds();
  const subject = beaconSubject(hostId(name), isPrivate);
  /** False while nothing is to be done; the first time after a lapse the migrations are told. */
  const attends = (): boolean => {
    if (!bus.connected || epoch() === undefined) return false;
    const now = clock.monotonicMilliseconds();
    const silentMilliseconds = now - attentiveAtMilliseconds;
    attentiveAtMilliseconds = now;
    if (silentMilliseconds <= lapseMilliseconds) return true;
    beacon();
    migrations.rejoin(silentMilliseconds);
    return true;
  };
  const beacon = () => {
    const leadsIn = epoch();
    if (leadsIn !== undefined) bus.publish(subject, encodeBeacon({ epoch: leadsIn, brain: name }));
  };
  return {
    start: () => {
      subscription = bus.subscribe(everyHost('tel'), onTelemetry);
      timers = [
        setInterval(beacon, beaconMilliseconds),
        setInterval(() => {
          if (attends()) migrations.tick(tickMilliseconds);
        }, tickMilliseconds),
      ];
      beacon();
    },
    stop: () => {
      subscription?.stop();
      timers.forEach(clearInterval);
    },
    route: (telemetry, atMilliseconds) => {
      if (attends()) migrations.route(telemetry, atMilliseconds);
    },
    takeOver: (legacy) => {
      attentiveAtMilliseconds = clock.monotonicMilliseconds();
      beacon();
      migrations.takeOver(legacy);
    },
  };
}
