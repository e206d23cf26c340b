/** Points and rounds as columns that uPlot draws: x in seconds since the migration's begin. */
import type { Detail, Point, RoundView } from '../view/view.ts';

export type Column = (number | null | undefined)[];

/** A table for one chart: x and one column for each of its series, ordered by x. */
export type Columns = [xs: number[], ...series: Column[]];

interface Dot {
  readonly x: number;
  readonly y: number | null;
}

/** Series: what is left, what was found at the start of a round, what had been foreseen, forecast. */
export function backlogColumns(detail: Detail, points: readonly Point[]): Columns {
  return joined([
    points.map(([at, remaining]) => ({ x: at / 1000, y: remaining })),
    detail.rounds.map((round) => ({ x: startOf(round), y: round.startBytes })),
    foreseenOf(detail),
    detail.forecast.map(({ atMilliseconds, bytes }) => ({ x: atMilliseconds / 1000, y: bytes })),
  ]);
}

/** Series: what the guest writes, what the link takes. */
export function rateColumns(points: readonly Point[]): Columns {
  return [
    points.map(([at]) => at / 1000),
    points.map(([, , guest]) => guest),
    points.map(([, , , link]) => link),
  ];
}

/** Series: the throttle. */
export function throttleColumns(points: readonly Point[]): Columns {
  return [points.map(([at]) => at / 1000), points.map(([, , , , throttle]) => throttle)];
}

/** Seconds that all charts of a migration show: all that was, and what is expected within reason. */
export function secondsShown({ forecast }: Detail, points: readonly Point[]): number {
  const past = (points.at(-1)?.[0] ?? 0) / 1000;
  const expected = (forecast.at(-1)?.atMilliseconds ?? 0) / 1000;
  // A forecast that never ends must not press what has happened into a corner.
  return Math.max(1, past, Math.min(expected, Math.max(past * 2, past + 10))) * 1.02;
}

function startOf({ startedAtMilliseconds }: RoundView): number {
  return startedAtMilliseconds / 1000;
}

function foreseenOf({ rounds }: Detail): readonly Dot[] {
  return rounds.map((round) => ({ x: startOf(round), y: round.foreseenBytes ?? null }));
}

/** Several series with times of their own on one x; where one has no figure it is left undefined. */
function joined(series: readonly (readonly Dot[])[]): Columns {
  const xs = [...new Set(series.flatMap((dots) => dots.map(({ x }) => x)))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, index) => [x, index]));
  const columns = series.map((dots) => {
    const column: Column = new Array<undefined>(xs.length).fill(undefined);
    for (const { x, y } of dots) column[place.get(x) ?? 0] = y;
    return column;
  });
  return [xs, ...columns];
}
