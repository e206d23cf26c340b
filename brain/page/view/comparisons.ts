/** What the choice of the method promised beside what has come of it. */
import type { Prediction } from '../../core/decision.ts';
import type { Migration } from '../../core/migration.ts';
import { elapsedMilliseconds } from '../../words/progress.ts';
import { formatBytes, formatMilliseconds } from '../../words/figures.ts';
import type { Comparison } from './view.ts';

/** Total time, pause, guest work lost and bytes sent, in this order. */
export function comparisonsOf(migration: Migration): readonly Comparison[] {
  const predicted = firstPrediction(migration);
  const isOpen = migration.result === undefined;
  return figures.map(({ name, promised, come, format }) => {
    const [before, after] = [predicted && promised(predicted), come(migration)];
    return {
      name,
      ...(isFigure(before) && { predicted: format(before) }),
      ...(isFigure(after) && { measured: format(after) }),
      isOpen,
    };
  });
}

interface Figure {
  readonly name: string;
  readonly promised: (prediction: Prediction) => number | undefined;
  /** As measured in the end, or so far. */
  readonly come: (migration: Migration) => number | undefined;
  readonly format: (value: number) => string;
}

const figures: readonly Figure[] = [
  {
    name: 'time',
    promised: ({ totalMilliseconds }) => totalMilliseconds,
    come: (migration) =>
      migration.result?.totalMilliseconds ??
      (migration.attempts[0]?.startedAtMilliseconds && elapsedMilliseconds(migration)),
    format: formatMilliseconds,
  },
  {
    name: 'downtime',
    promised: ({ downtimeMilliseconds }) => downtimeMilliseconds,
    come: ({ result }) => result?.downtimeMilliseconds,
    format: formatMilliseconds,
  },
  {
    name: 'guest work lost',
    promised: ({ guestWorkLostSeconds }) => guestWorkLostSeconds,
    come: ({ throttleSeconds, result }) =>
      throttleSeconds + (result?.downtimeMilliseconds ?? 0) / 1000,
    format: (seconds) => formatMilliseconds(seconds * 1000),
  },
  {
    name: 'sent',
    promised: ({ transferredBytes }) => transferredBytes,
    come: ({ result, last }) => result?.transferredBytes ?? last?.ram?.transferredBytes,
    format: formatBytes,
  },
];

/** Made into figures of the whole: a decision under way speaks of what is still to come. */
function firstPrediction({ decisions, attempts, rounds }: Migration): Prediction | undefined {
  const first = decisions.find(
    ({ decision }) => decision.side === 'source' && decision.prediction !== undefined,
  )?.decision;
  const { totalMilliseconds, guestWorkLostSeconds, transferredBytes, ...rest } =
    first?.prediction ?? {};
  if (first === undefined) return undefined;
  const { atMilliseconds } = first;
  const startedAt = attempts[0]?.startedAtMilliseconds ?? atMilliseconds;
  const passed = Math.max(0, atMilliseconds - startedAt);
  const wasFree = rounds.every(
    (round) => round.endedAtMilliseconds > atMilliseconds || round.throttlePercent <= 1,
  );
  return {
    ...rest,
    ...(totalMilliseconds !== undefined && { totalMilliseconds: passed + totalMilliseconds }),
    ...(guestWorkLostSeconds !== undefined && wasFree && { guestWorkLostSeconds }),
    ...(transferredBytes !== undefined && passed === 0 && { transferredBytes }),
  };
}

function isFigure(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
