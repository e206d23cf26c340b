import type { Migration } from '../../core/migration.ts';
import { elapsedMilliseconds, expectedMillisecondsLeft } from '../../words/progress.ts';
import { verdictOf } from '../../words/verdict.ts';
import type { Row } from './view.ts';

/** Auto-converge is armed at 1 %, which holds nobody back. */
const inertThrottlePercent = 1;

/** The throttle as the guest feels it; 0 once the migration is over. */
export function throttleNow({ last, result }: Migration): number {
  const percent = last?.throttlePercent ?? 0;
  return result !== undefined || percent <= inertThrottlePercent ? 0 : percent;
}

/** A migration as a line of the list. */
export function rowOf(migration: Migration): Row {
  const { id, phase, source, destination, openRound, result } = migration;
  return {
    id,
    vm: source?.name ?? id,
    from: source?.ref.host ?? 'source',
    to: destination?.ref.host ?? 'destination',
    phase,
    verdict: verdictOf(migration),
    elapsedMilliseconds: result?.totalMilliseconds ?? elapsedMilliseconds(migration),
    round: openRound?.number ?? 0,
    doneShare: doneShare(migration),
    ...progressOf(migration),
    throttlePercent: throttleNow(migration),
    isSettled: result !== undefined,
  };
}

/** What only a running migration has. */
function progressOf(migration: Migration): Pick<Row, 'leftMilliseconds' | 'remainingBytes'> {
  const { last, result } = migration;
  if (result !== undefined) return {};
  const left = expectedMillisecondsLeft(migration);
  const remaining = last?.ram?.remainingBytes;
  return {
    ...(left !== undefined && { leftMilliseconds: left }),
    ...(remaining !== undefined && { remainingBytes: remaining }),
  };
}

function doneShare({ result, last, source }: Migration): number {
  if (result !== undefined) return result.outcome === 'completed' ? 1 : 0;
  const ram = last?.ram;
  if (ram === undefined || source === undefined) return 0;
  return Math.min(1, Math.max(0, 1 - ram.remainingBytes / Math.max(1, ram.totalBytes)));
}
