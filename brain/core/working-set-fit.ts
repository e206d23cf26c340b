/**
 * Fits the working-set model to what was observed.
 */
import {
  dirtiedBytes,
  noWrites,
  saturation,
  type WorkingSet,
  type WorkingSetClass,
} from './working-set.ts';

/** One observation of W: what was dirtied within a span of guest run time. */
export interface WorkingSetPoint {
  readonly runSeconds: number;
  readonly dirtyBytes: number;
  /** Trust: 1 is a probe's point. */
  readonly weight: number;
}

/** The mean of all readings of the points, or of those that foresee the least or the most. */
export type Lean = 'likely' | 'least' | 'most';

/**
 * Fits one class or two to the points by least squares, in every way there is on a grid of time
 * constants, and takes the mean of all these readings, each by its likelihood: pages written seldom
 * show their rate and not their number, so that the best fit alone would be a matter of chance.
 * Readings with more pages than the guest has are none. Fewer than three points are read as the
 * slowest class that fits.
 */
export function fitWorkingSet(
  points: readonly WorkingSetPoint[],
  limitBytes: number,
  lean: Lean = 'likely',
): WorkingSet {
  const used = points
    .filter((point) => point.runSeconds > 0 && point.weight > 0)
    .map((point) => ({ ...point, dirtyBytes: Math.min(point.dirtyBytes, limitBytes) }));
  if (used.every((point) => point.dirtyBytes < 1)) return noWrites;
  const target = targets(used);
  const columns = candidates(used, target);
  const energy = dot(target, target);
  const singles = columns.map((column) => fitOne(column, energy));
  if (used.length < 3) return bounded(best(singles).classes, limitBytes);
  const all = [...singles, ...pairs(columns, energy)];
  const possible = all.filter(({ bytes }) => bytes <= limitBytes * (1 + noiseShare));
  const longest = Math.max(...used.map(({ runSeconds }) => runSeconds));
  const reachSeconds = farSight * longest;
  const set = bounded(mean(leaning(weighed(possible), lean, reachSeconds)), limitBytes);
  return { ...set, bytes: dirtiedBytes(set, reachSeconds) };
}

interface Column {
  readonly shape: WorkingSetClass['shape'];
  readonly seconds: number;
  /** Saturation at each point over the point's own size: the unknown is then bytes. */
  readonly values: readonly number[];
  /** Products of the values with themselves and with the target: every pair asks for them. */
  readonly square: number;
  readonly projection: number;
}

interface Fit {
  readonly classes: readonly WorkingSetClass[];
  /** Sum of the classes. */
  readonly bytes: number;
  readonly error: number;
}

interface Reading extends Fit {
  readonly likelihood: number;
}

const shapes = ['random', 'sweep'] as const;
/**
 * 100 s down to 30 ms in steps of 1.5: wider than any round that a model is asked about. Slowest
 * first, so that a single observation reads as a constant rate: the verdict that waits for more.
 */
const timeConstants = Array.from({ length: 21 }, (_, index) => 100 / 1.5 ** index);

/** Of the largest point: no point is known better, and the smallest ones count no more than this. */
const noiseShare = 0.03;
/** Of a probe's point that is as large as the largest: what chance and the guest's ways add to it. */
const errorShare = 0.015;
/** One class is that much likelier than any two, until the points say otherwise. */
const singleClassOdds = 100;
/** Readings are told apart by what they foresee this many times as far as anybody saw... */
const farSight = 3;
/** ...and this share of them, by likelihood, is the least and the most. */
const tailShare = 0.1;
/** Of all bytes: a class smaller than this is left out, for every forecast asks each of them. */
const negligibleShare = 0.003;

/** A count of sampled pages errs by the root of its size: between absolute and relative error. */
function scaleOf(point: WorkingSetPoint, points: readonly WorkingSetPoint[]): number {
  const largest = Math.max(...points.map((each) => each.dirtyBytes));
  const size = Math.max(point.dirtyBytes, noiseShare * largest);
  return Math.sqrt((size * largest) / point.weight);
}

function candidates(points: readonly WorkingSetPoint[], target: readonly number[]): Column[] {
  const scales = points.map((point) => scaleOf(point, points));
  return shapes.flatMap((shape) =>
    timeConstants.map((seconds) => {
      const values = points.map(
        (point, index) => saturation({ shape, seconds }, point.runSeconds) / (scales[index] ?? 1),
      );
      const square = dot(values, values);
      return { shape, seconds, values, square, projection: dot(values, target) };
    }),
  );
}

function targets(points: readonly WorkingSetPoint[]): number[] {
  return points.map((point) => point.dirtyBytes / scaleOf(point, points));
}

/** A fit comes here, and to each pair, a thousand times: a closure for each would be most of its cost. */
function dot(left: readonly number[], right: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}

/** `energy` is what there is to explain: the square of the target. */
function fitOne(column: Column, energy: number): Fit {
  const bytes = Math.max(0, column.projection / column.square);
  return fitted([{ column, bytes }], energy);
}

function pairs(columns: readonly Column[], energy: number): Fit[] {
  const fits: Fit[] = [];
  columns.forEach((first, index) => {
    for (let other = index + 1; other < columns.length; other++) {
      const second = columns[other];
      const fit = second && fitTwo(first, second, energy);
      if (fit) fits.push(fit);
    }
  });
  return fits;
}

/** Solves the 2 x 2 normal equations; a negative amount means that one class alone fits better. */
function fitTwo(first: Column, second: Column, energy: number): Fit | undefined {
  const { square: aa, projection: at } = first;
  const { square: bb, projection: bt } = second;
  const ab = dot(first.values, second.values);
  const determinant = aa * bb - ab * ab;
  if (determinant < 1e-9 * aa * bb) return undefined;
  const firstBytes = (at * bb - bt * ab) / determinant;
  const secondBytes = (bt * aa - at * ab) / determinant;
  if (firstBytes <= 0 || secondBytes <= 0) return undefined;
  const parts = [
    { column: first, bytes: firstBytes },
    { column: second, bytes: secondBytes },
  ];
  return fitted(parts, energy);
}

function fitted(
  parts: readonly { readonly column: Column; readonly bytes: number }[],
  energy: number,
): Fit {
  // At the least squares the residual is at right angles to all that was fitted.
  const explained = parts.reduce((sum, { column, bytes }) => sum + bytes * column.projection, 0);
  return {
    classes: parts.map(({ column: { shape, seconds }, bytes }) => ({ shape, seconds, bytes })),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    error: energy - explained,
  };
}

function best(fits: readonly Fit[]): Fit {
  return fits.reduce((least, fit) => (fit.error < least.error - 1e-9 ? fit : least));
}

/** How likely each is beside the best of them; what is next to impossible is left out. */
function weighed(fits: readonly Fit[]): Reading[] {
  const least = Math.min(...fits.map(({ error }) => error));
  const readings: Reading[] = [];
  for (const fit of fits) {
    const odds = fit.classes.length === 1 ? singleClassOdds : 1;
    const likelihood = Math.exp((least - fit.error) / (2 * errorShare * errorShare)) * odds;
    if (likelihood > 1e-4) readings.push({ ...fit, likelihood });
  }
  return readings;
}

/** Those readings that foresee the least, or the most, within `runSeconds`. */
function leaning(readings: readonly Reading[], lean: Lean, runSeconds: number): readonly Reading[] {
  if (lean === 'likely') return readings;
  const direction = lean === 'least' ? 1 : -1;
  const foreseen = (reading: Reading) => direction * dirtiedBytes(reading, runSeconds);
  const inOrder = readings.toSorted((one, other) => foreseen(one) - foreseen(other));
  const enough = tailShare * sumOf(readings);
  let taken = 0;
  return inOrder.filter(({ likelihood }) => {
    const isNeeded = taken < enough;
    taken += likelihood;
    return isNeeded;
  });
}

function sumOf(readings: readonly Reading[]): number {
  return readings.reduce((sum, { likelihood }) => sum + likelihood, 0);
}

/** A mean of sums of classes is a sum of classes. */
function mean(readings: readonly Reading[]): readonly WorkingSetClass[] {
  const total = sumOf(readings);
  const sums = new Map<string, WorkingSetClass>();
  for (const { classes, likelihood } of readings) {
    for (const each of classes) {
      const key = `${each.shape} ${String(each.seconds)}`;
      const bytes = (sums.get(key)?.bytes ?? 0) + (each.bytes * likelihood) / total;
      sums.set(key, { ...each, bytes });
    }
  }
  const all = [...sums.values()];
  const largest = Math.max(...all.map(({ bytes }) => bytes));
  return all.filter(({ bytes }) => bytes > negligibleShare * largest);
}

/** No guest dirties more than it has: keeps the rate D = H/T and cuts H. */
function bounded(classes: readonly WorkingSetClass[], limitBytes: number): WorkingSet {
  const bytes = classes.reduce((sum, each) => sum + each.bytes, 0);
  if (bytes <= limitBytes) return { classes, bytes };
  const share = limitBytes / bytes;
  return {
    classes: classes.map((each) => ({
      ...each,
      bytes: each.bytes * share,
      seconds: each.seconds * share,
    })),
    bytes: limitBytes,
  };
}
