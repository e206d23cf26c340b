/**
 * What a migration looked like over time: points for the charts, and what the model foresaw of each
 * round. Kept beside the migration, as the core remembers only what it needs to decide.
 */
import type { Input } from '../../core/input.ts';
import type { Migration } from '../../core/migration.ts';
import { foreseenSyncs } from '../../core/pre-copy-model.ts';
import { guestBytesPerSecond } from '../../words/progress.ts';
import { presentCourse } from './course.ts';
import { throttleNow } from './row.ts';
import type { Point } from './view.ts';

/** Enough for the eye, and 500 migrations of it fit into memory; then every second one is dropped. */
const mostPoints = 600;
/** Rounds of which what was foreseen is kept; an endless migration has many. */
const mostForeseen = 1000;

export interface Chronicle {
  readonly beganAtMilliseconds: number;
  readonly points: readonly Point[];
  /** Grows when points were thinned out: who has read them must read them all again. */
  readonly thinnings: number;
  /** What was foreseen for the backlog at the start of a round, by attempt and number of the round. */
  foreseenBytes(attempt: number, round: number): number | undefined;
  /** Takes in what the core was told last, and how it stands since. */
  observe(migration: Migration, input: Input): void;
}

/** Begins with the migration's first input. */
export function createChronicle(beganAtMilliseconds: number): Chronicle {
  let points: Point[] = [];
  let thinnings = 0;
  let leastGapMilliseconds = 0;
  const foreseen = new Map<string, { readonly basis: string; readonly bytes: number }>();
  const key = (attempt: number, round: number) => `${attempt}.${round}`;

  /** Once in each round, and again when the throttle has changed: then the model expects otherwise. */
  const foresee = (migration: Migration) => {
    const { openRound, attempts, orderedThrottlePercent } = migration;
    if (openRound === undefined) return;
    const next = key(attempts.length, openRound.number + 1);
    const basis = `${throttleNow(migration)} ${orderedThrottlePercent}`;
    if (foreseen.get(next)?.basis === basis) return;
    const course = presentCourse(migration);
    const sync = course && foreseenSyncs(course, 1)[0];
    if (sync) foreseen.set(next, { basis, bytes: sync.backlogBytes });
    if (foreseen.size > mostForeseen) foreseen.delete(foreseen.keys().next().value ?? '');
  };
  const addPoint = (migration: Migration) => {
    const point = pointOf(migration, beganAtMilliseconds);
    const last = points.at(-1);
    if (last && point[0] - last[0] < leastGapMilliseconds) return;
    points.push(point);
    if (points.length <= mostPoints) return;
    leastGapMilliseconds = (2 * (point[0] - (points[0]?.[0] ?? 0))) / points.length;
    points = points.filter((_, index) => index % 2 === 0);
    thinnings += 1;
  };
  return {
    beganAtMilliseconds,
    get points() {
      return points;
    },
    get thinnings() {
      return thinnings;
    },
    foreseenBytes: (attempt, round) => foreseen.get(key(attempt, round))?.bytes,
    observe: (migration, input) => {
      if (input.kind !== 'sample' || input.side !== 'source') return;
      addPoint(migration);
      foresee(migration);
    },
  };
}

function pointOf(migration: Migration, beganAtMilliseconds: number): Point {
  const ram = migration.last?.ram;
  const isMoving = ram !== undefined && migration.result === undefined;
  const figure = (value: number | undefined) => (isMoving && value ? Math.round(value) : null);
  return [
    Math.round(migration.nowMilliseconds - beganAtMilliseconds),
    isMoving ? ram.remainingBytes : null,
    figure(guestBytesPerSecond(migration)),
    figure(migration.bandwidthBytesPerSecond ?? ram?.bandwidthBytesPerSecond),
    isMoving ? throttleNow(migration) : null,
  ];
}
