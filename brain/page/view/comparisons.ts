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

function firstPrediction({ decisions }: Migration): Prediction | undefined {
  return decisions.find(
    ({ decision }) => decision.side === 'source' && decision.prediction !== undefined,
  )?.decision.prediction;
}

function isFigure(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
