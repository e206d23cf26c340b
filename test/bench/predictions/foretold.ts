/** What was said of one migration beside what it then was; and what many of them say together. */
import type { FamilyPrediction, Span } from '../../../brain/core/prediction.ts';
import type { LinkProvenance } from '../../../brain/core/input.ts';

export interface Happened {
  readonly completed: boolean;
  readonly totalMilliseconds: number;
  readonly transferredBytes: number;
  readonly downtimeMilliseconds?: number;
  /** Guest RAM sent per byte on the wire; unknown of a run that was given up. */
  readonly ratio?: number;
  readonly throttleSeconds: number;
  /** Unknown where no sync after it was seen. */
  readonly firstPassMilliseconds?: number;
  readonly rounds: number;
}

export interface Foretold {
  /** Which guest it was. */
  readonly name: string;
  readonly workload: string;
  /** Whether it goes on as it was when it was probed. */
  readonly isSteady: boolean;
  /** Whether the migration was held to what was predicted, or `adaptive` was at the wheel. */
  readonly run: 'held' | 'adaptive';
  readonly link: LinkProvenance;
  readonly predicted: FamilyPrediction;
  readonly happened: Happened;
}

export interface BacklogGuess {
  readonly round: number;
  readonly predictedBytes: number;
  readonly happenedBytes: number;
}

export type NamedGuess = BacklogGuess & Pick<Foretold, 'name' | 'workload' | 'isSteady'>;

/** What one figure of many predictions was worth. */
export interface Accuracy {
  readonly count: number;
  /** Relative errors, 0 to 1 and beyond. */
  readonly median: number;
  readonly percentile95: number;
  /** Above 0 where more is predicted than happens. */
  readonly medianBias: number;
  /** Share of the cases whose truth lay within the printed range. */
  readonly coverage: number;
}

interface Pair {
  readonly span: Span;
  readonly truth: number;
}

export interface Figure {
  readonly name: string;
  readonly predicted: (of: FamilyPrediction) => Span;
  readonly happened: (of: Happened) => number | undefined;
}

export const totalTime: Figure = {
  name: 'total time',
  predicted: (of) => of.totalMilliseconds,
  happened: (of) => of.totalMilliseconds,
};

export const figures: readonly Figure[] = [
  totalTime,
  {
    name: 'bytes',
    predicted: (of) => of.transferredBytes,
    happened: (of) => of.transferredBytes,
  },
  { name: 'ratio', predicted: (of) => of.ratio, happened: (of) => of.ratio },
  {
    name: 'downtime',
    predicted: (of) => of.downtimeMilliseconds,
    happened: (of) => of.downtimeMilliseconds,
  },
];

/** Errors over those that were predicted to end and did, ranges over all that did. */
export function accuracyOf(cases: readonly Foretold[], figure: Figure): Accuracy {
  const foreseen = pairsOf(cases.filter(isComparable), figure);
  const ended = pairsOf(
    cases.filter(({ happened }) => happened.completed),
    figure,
  );
  const within = ended.filter(({ span, truth }) => truth >= span.low && truth <= span.high);
  return {
    count: foreseen.length,
    ...errorsOf(foreseen.map(({ span, truth }) => span.likely / truth - 1)),
    coverage: within.length / ended.length,
  };
}

function pairsOf(cases: readonly Foretold[], figure: Figure): Pair[] {
  return cases.flatMap(({ predicted, happened }) => {
    const truth = figure.happened(happened);
    return truth !== undefined && truth > 0 ? [{ span: figure.predicted(predicted), truth }] : [];
  });
}

/** The same for backlogs, which have no range. */
export function backlogAccuracy(guesses: readonly BacklogGuess[]): Omit<Accuracy, 'coverage'> {
  const signed = guesses.map(
    ({ predictedBytes, happenedBytes }) => predictedBytes / happenedBytes - 1,
  );
  return { count: signed.length, ...errorsOf(signed) };
}

function errorsOf(signed: readonly number[]) {
  const errors = signed.map(Math.abs);
  return {
    median: quantile(errors, 0.5),
    percentile95: quantile(errors, 0.95),
    medianBias: quantile(signed, 0.5),
  };
}

export function isComparable({ predicted, happened }: Foretold): boolean {
  return predicted.finishes && happened.completed;
}

/** Share of the cases in which it was foretold rightly whether they end. */
export function endingsForetold(cases: readonly Foretold[]): number {
  const right = cases.filter(
    ({ predicted, happened }) => predicted.finishes === happened.completed,
  );
  return right.length / cases.length;
}

export function totalError({ predicted, happened }: Foretold): number {
  return predicted.totalMilliseconds.likely / happened.totalMilliseconds - 1;
}

/** NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const place = share * (sorted.length - 1);
  const [low = NaN, high = NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
