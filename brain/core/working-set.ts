/**
 * The working-set model: W(tau), the distinct bytes that the guest dirties while it runs for tau.
 *
 * W is concave with W(0) = 0. It is fitted as the sum of at most two classes of pages, each either
 * hit at random (H (1 - exp(-tau/T))) or swept in order (H min(tau/T, 1)), which covers uniform
 * writers, hot sets over a background, and memory testers. The law of time dilation, measured on
 * QEMU 7.2 and 10.0, is W_throttled(t) = W((1 - throttle) t): so tau is always guest run time.
 */

/** One observation of W: what was dirtied within a span of guest run time. */
export interface WorkingSetPoint {
  readonly runSeconds: number;
  readonly dirtyBytes: number;
  /** Trust: 1 is a probe's point. */
  readonly weight: number;
}

export interface WorkingSetClass {
  readonly shape: 'random' | 'sweep';
  readonly bytes: number;
  /** Time constant T of a random class; full sweep time of a swept one. */
  readonly seconds: number;
}

export interface WorkingSet {
  readonly classes: readonly WorkingSetClass[];
  /** Sum of the classes: what can become dirty at all. */
  readonly bytes: number;
}

const noWrites: WorkingSet = { classes: [], bytes: 0 };

/** Bytes dirtied within `runSeconds` of guest run time. */
export function dirtiedBytes(set: WorkingSet, runSeconds: number): number {
  return set.classes.reduce((sum, each) => sum + each.bytes * saturation(each, runSeconds), 0);
}

/** Mean rate at which distinct bytes become dirty over a short window, by default one rate-limit window of QEMU. */
export function dirtyBytesPerSecond(set: WorkingSet, windowSeconds = 0.1): number {
  return dirtiedBytes(set, windowSeconds) / windowSeconds;
}

/**
 * Least squares over all pairs of classes on a logarithmic grid of time constants.
 * A second class must pay for itself by a clearly better fit.
 */
export function fitWorkingSet(points: readonly WorkingSetPoint[], limitBytes: number): WorkingSet {
  const used = points.filter((point) => point.runSeconds > 0 && point.weight > 0);
  if (used.every((point) => point.dirtyBytes <= 0)) return noWrites;
  const target = targets(used);
  const columns = candidates(used, target);
  const single = best(columns.map((column) => fitOne(column, target)));
  const double = used.length < 3 ? undefined : best(pairs(columns, target));
  const chosen = double && double.error < single.error * 0.6 ? double : single;
  return bounded(chosen.classes, limitBytes);
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
  readonly error: number;
}

const shapes = ['random', 'sweep'] as const;
/**
 * 100 s down to 30 ms in steps of 1.5: wider than any round that a model is asked about. Slowest
 * first, so that a single observation reads as a constant rate: the verdict that waits for more.
 */
const timeConstants = Array.from({ length: 21 }, (_, index) => 100 / 1.5 ** index);

/** Sampling noise of a probe, as a share of the largest point: what a fit need not explain. */
const noiseShare = 0.03;

function saturation(each: Pick<WorkingSetClass, 'shape' | 'seconds'>, runSeconds: number): number {
  const ratio = runSeconds / each.seconds;
  return each.shape === 'random' ? 1 - Math.exp(-ratio) : Math.min(ratio, 1);
}

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

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}

function fitOne(column: Column, target: readonly number[]): Fit {
  const bytes = Math.max(0, column.projection / column.square);
  return fitted([{ column, bytes }], target);
}

function pairs(columns: readonly Column[], target: readonly number[]): Fit[] {
  const fits: Fit[] = [];
  for (const [index, first] of columns.entries()) {
    for (const second of columns.slice(index + 1)) {
      const fit = fitTwo(first, second, target);
      if (fit) fits.push(fit);
    }
  }
  return fits;
}

/** Solves the 2 x 2 normal equations; a negative amount means that one class alone fits better. */
function fitTwo(first: Column, second: Column, target: readonly number[]): Fit | undefined {
  const { square: aa, projection: at } = first;
  const { square: bb, projection: bt } = second;
  const ab = dot(first.values, second.values);
  const determinant = aa * bb - ab * ab;
  if (determinant < 1e-9 * aa * bb) return undefined;
  const firstBytes = (at * bb - bt * ab) / determinant;
  const secondBytes = (bt * aa - at * ab) / determinant;
  if (firstBytes <= 0 || secondBytes <= 0) return undefined;
  return fitted(
    [
      { column: first, bytes: firstBytes },
      { column: second, bytes: secondBytes },
    ],
    target,
  );
}

function fitted(
  parts: readonly { readonly column: Column; readonly bytes: number }[],
  target: readonly number[],
): Fit {
  const residuals = target.map(
    (wanted, index) =>
      wanted - parts.reduce((sum, part) => sum + part.bytes * (part.column.values[index] ?? 0), 0),
  );
  return {
    classes: parts.map(({ column, bytes }) => ({
      shape: column.shape,
      bytes,
      seconds: column.seconds,
    })),
    error: dot(residuals, residuals) + target.length * noiseShare * noiseShare,
  };
}

function best(fits: readonly Fit[]): Fit {
  return fits.reduce((least, fit) => (fit.error < least.error * (1 - 1e-9) ? fit : least), {
    classes: [],
    error: Infinity,
  });
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
