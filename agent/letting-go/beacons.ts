/** Hears the beacons of brains: that one is there, and which one is new. */
import type { Bus, Subscription } from '../../shared/bus.ts';
import { decodeBeacon } from '../../shared/codec.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { beaconSubject, everyHost, isPublicBeacon } from '../../shared/subjects.ts';
import type { DeadMan } from './dead-man.ts';
import type { Journal } from '../commands/journal.ts';

export interface BeaconOptions {
  readonly bus: Bus;
  readonly log: Log;
  readonly journal: Journal;
  readonly deadMan: DeadMan;
  /** The one brain that is heard; absent: whichever leads the fleet. */
  readonly brain?: string;
  /** Tells of the host and of all VMs. */
  readonly announce: () => void;
}

/** A brain that is new here is told of all; one that was deposed is not heard. */
export function hearBeacons(options: BeaconOptions): Subscription {
  const { bus, log, journal, deadMan, announce, brain: own } = options;
  const known = new Set<string>();
  // A deposed brain is refused from the first beacon of its successor on, not from the first command.
  const note = (epoch: number) => {
    journal.hear(epoch).catch((error: unknown) => {
      log.error({ epoch, error: messageOf(error) }, 'the epoch of a new brain could not be noted');
    });
  };
  const from = own === undefined ? everyHost('lead') : beaconSubject(own, true);
  return bus.subscribe(from, (subject, payload) => {
    if (own === undefined && !isPublicBeacon(subject)) return;
    try {
      const { brain, epoch } = decodeBeacon(payload);
      if (epoch < journal.highestEpoch) return;
      deadMan.hear();
      if (epoch > journal.highestEpoch) note(epoch);
      const life = `${brain} ${String(epoch)}`;
      if (known.has(life)) return;
      known.add(life);
      announce();
    } catch (error) {
      log.warn({ subject, error: messageOf(error) }, 'a beacon makes no sense');
    }
  });
}
