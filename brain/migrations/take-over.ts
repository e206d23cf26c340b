/** Takes in hand what another brain, or an earlier life of this one, had to leave. */
import { messageOf } from '../../shared/errors.ts';
import type { Fleet } from '../fleet.ts';
import { takeInHand } from './hand.ts';
import type { Hand, HandOptions } from './hand.ts';
import type { KeptMigration, KeptState } from '../leadership/keeper.ts';
import { placeOf } from './routing.ts';
import type { Place, Sides } from './routing.ts';
import type { Start } from './runner.ts';

/** What was kept, and how long ago by the clock of the server that kept it. */
export interface Legacy extends KeptState {
  readonly nowByServerMilliseconds: number;
  /** For how long no brain led. */
  readonly silentMilliseconds: number;
}

export interface TakeOverOptions extends HandOptions {
  readonly start: Start;
  readonly fleet: Pick<Fleet, 'find'>;
}

/** Clocks of brains that differ by less are one clock. */
const sameClockMilliseconds = 1_000;

/** The migrations by id, oldest first; one that cannot be gone on with is left out and logged. */
export function takeOver(options: TakeOverOptions, legacy: Legacy): ReadonlyMap<string, Hand> {
  const hands = legacy.migrations
    .toSorted((one, other) => orderedAt(one) - orderedAt(other))
    .flatMap((kept) => {
      const { id } = kept.migration;
      try {
        return [[id, goOn(options, kept, legacy)] as const];
      } catch (error) {
        options.log.error({ id, error: messageOf(error) }, 'a migration could not be taken over');
        return [];
      }
    });
  return new Map(hands);
}

function goOn(
  options: TakeOverOptions,
  { migration: known, sides, keptAtMilliseconds }: Legacy['migrations'][number],
  { nowByServerMilliseconds, silentMilliseconds }: Legacy,
): Hand {
  const { id, policy, phase } = known;
  if (phase === 'settled' || phase === 'needs-human') {
    options.tell((listener) => listener.onInherited?.(known));
    return takeInHand(options, known, sides);
  }
  const now = options.now();
  const passed = Math.max(0, nowByServerMilliseconds - keptAtMilliseconds);
  const difference = known.nowMilliseconds + passed - now;
  const aheadMilliseconds = Math.abs(difference) < sameClockMilliseconds ? 0 : difference;
  const begun = options.start({ id, policy, atMilliseconds: now + aheadMilliseconds });
  const hand = takeInHand(options, begun, present(options.fleet, sides), aheadMilliseconds);
  hand.runner.feed({ kind: 'rejoin', atMilliseconds: now, silentMilliseconds, known });
  options.log.info({ id, phase, decisions: known.decisions.length }, 'taken over');
  return hand;
}

/** An agent that was started anew in between is another addressee. */
function present(fleet: TakeOverOptions['fleet'], { source, destination }: Sides): Sides {
  const now = (place: Place): Place => {
    const facts = fleet.find(place.host, place.monitor);
    return facts?.ref.uuid === place.ref.uuid ? placeOf(facts) : place;
  };
  return { source: now(source), ...(destination && { destination: now(destination) }) };
}

function orderedAt({ migration }: KeptMigration): number {
  return migration.orderedAtMilliseconds ?? migration.nowMilliseconds;
}
