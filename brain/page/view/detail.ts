import type { Migration } from '../../core/migration.ts';
import { foreseenSyncs } from '../../core/pre-copy-model.ts';
import { switchoverBytes } from '../../core/rounds.ts';
import { formatBytes } from '../../words/figures.ts';
import { guestBytesPerSecond } from '../../words/progress.ts';
import type { Chronicle } from './chronicle.ts';
import { comparisonsOf } from './comparisons.ts';
import { presentCourse } from './course.ts';
import { decisionViews } from './decisions.ts';
import { rowOf, throttleNow } from './row.ts';
import type { BacklogAt, Detail, RoundView } from './view.ts';

/** How far the page looks ahead; a course that has not ended by then is drawn so far. */
const foreseenRounds = 12;
const mostRounds = 200;

/** A migration in depth, with what its chronicle remembers. */
export function detailOf(migration: Migration, chronicle: Chronicle): Detail {
  const { policy, attempts, result, source } = migration;
  const family = attempts.at(-1)?.arming.family;
  const guest = guestBytesPerSecond(migration);
  const link = migration.bandwidthBytesPerSecond;
  const switchover = switchoverBytes(migration);
  return {
    row: rowOf(migration),
    beganAtMilliseconds: chronicle.beganAtMilliseconds,
    policy,
    ...(family !== undefined && { family }),
    ...(source && { guest: `${formatBytes(source.ramBytes)}, QEMU ${source.qemuVersion}` }),
    ...(guest !== undefined && !result && { guestBytesPerSecond: guest }),
    ...(link !== undefined && !result && { linkBytesPerSecond: link }),
    comparisons: comparisonsOf(migration),
    rounds: roundViews(migration, chronicle),
    forecast: forecastOf(migration, chronicle),
    ...(switchover !== undefined && { switchoverBytes: switchover }),
    decisions: decisionViews(migration, chronicle.beganAtMilliseconds),
  };
}

function roundViews(migration: Migration, chronicle: Chronicle): readonly RoundView[] {
  const { rounds, openRound, attempts, result } = migration;
  const since = (atMilliseconds: number) =>
    Math.round(atMilliseconds - chronicle.beganAtMilliseconds);
  const viewOf = (each: Omit<RoundView, 'foreseenBytes'>): RoundView => {
    const foreseen = chronicle.foreseenBytes(each.attempt, each.number);
    return { ...each, ...(foreseen !== undefined && { foreseenBytes: foreseen }) };
  };
  const closed = rounds.slice(-mostRounds).map((round) =>
    viewOf({
      number: round.number,
      attempt: round.attempt,
      startedAtMilliseconds: since(round.startedAtMilliseconds),
      endedAtMilliseconds: since(round.endedAtMilliseconds),
      startBytes: round.startRemainingBytes,
      throttlePercent: round.throttlePercent > 1 ? round.throttlePercent : 0,
    }),
  );
  if (openRound === undefined || openRound.startRemainingBytes === 0) return closed;
  const running = viewOf({
    number: openRound.number,
    attempt: attempts.length,
    startedAtMilliseconds: since(openRound.startedAtMilliseconds),
    ...(result && { endedAtMilliseconds: since(migration.nowMilliseconds) }),
    startBytes: openRound.startRemainingBytes,
    throttlePercent: throttleNow(migration),
  });
  return [...closed, running];
}

/** From the newest sample on: each round drains to the switchover, and its sync finds the next backlog. */
function forecastOf(migration: Migration, chronicle: Chronicle): readonly BacklogAt[] {
  const course = presentCourse(migration);
  const { last, lastSampleAtMilliseconds } = migration;
  if (course === undefined || !last?.ram || lastSampleAtMilliseconds === undefined) return [];
  const now = lastSampleAtMilliseconds - chronicle.beganAtMilliseconds;
  const path: BacklogAt[] = [{ atMilliseconds: Math.round(now), bytes: last.ram.remainingBytes }];
  for (const { seconds, backlogBytes } of foreseenSyncs(course, foreseenRounds)) {
    const atMilliseconds = Math.round(now + seconds * 1000);
    const drained = Math.min(path.at(-1)?.bytes ?? 0, course.switchoverBytes);
    path.push({ atMilliseconds: atMilliseconds - 1, bytes: Math.round(drained) });
    path.push({ atMilliseconds, bytes: Math.round(backlogBytes) });
  }
  return path;
}
