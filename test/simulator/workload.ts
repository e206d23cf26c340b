/** What simulated guests do to their memory: where they write, how fast, and what the pages hold. */

export const pageBytes = 4096;
export const mebibyte = 1024 * 1024;

const toPages = (bytes: number): number => Math.floor(bytes / pageBytes);

/** Writes spread over a range of pages, in units of the guest's own running time. */
export interface Load {
  readonly firstPage: number;
  readonly pages: number;
  /** Page writes per second in which the guest runs unthrottled; distinct pages are fewer. */
  readonly pagesPerSecond: number;
  readonly order: 'random' | 'sequential';
}

/** What pages hold. `compressionRatio` is uncompressed over compressed size. */
export interface Content {
  readonly zeroShare: number;
  readonly compressionRatio: number;
  /** XBZRLE-encoded size of a rewritten page over the page size. */
  readonly deltaShare: number;
}

export const contents = {
  random: { zeroShare: 0, compressionRatio: 1, deltaShare: 1 },
  text: { zeroShare: 0, compressionRatio: 8, deltaShare: 1 },
  counters: { zeroShare: 0, compressionRatio: 1, deltaShare: 0.01 },
  binary: { zeroShare: 0.05, compressionRatio: 2.2, deltaShare: 0.5 },
  empty: { zeroShare: 0.9, compressionRatio: 3, deltaShare: 0.5 },
} as const satisfies Record<string, Content>;

/**
 * A guest. Its pages are numbered as its program sees them: the written ones first, what lies behind
 * them is never touched. Where they lie in RAM, the order of sending, is another matter.
 */
export interface Workload {
  readonly name: string;
  readonly ramBytes: number;
  /** Bytes at the start that hold `writtenContents`; the rest holds `restContent`. */
  readonly writtenBytes: number;
  /** Of the written pages, in turn. */
  readonly writtenContents: readonly Content[];
  readonly restContent: Content;
  /** CPU the guest wants: a throttle below its idle share does not slow it. */
  readonly vcpuBusyShare: number;
  /** Whether its pages lie about in RAM as an operating system deals them out, or in one piece. */
  readonly scattered: boolean;
  /** The writes under way once the guest has run for so long: phases follow its own progress. */
  loads(runMilliseconds: number): readonly Load[];
}

/** What every shape lets its caller choose. */
export interface ShapeOptions {
  readonly ramBytes?: number;
  /** Several alternate from page to page. */
  readonly writtenContent?: Content | readonly Content[];
  readonly restContent?: Content;
  readonly vcpuBusyShare?: number;
  readonly scattered?: boolean;
}

interface WriteOptions extends ShapeOptions {
  readonly bytes: number;
  readonly pagesPerSecond: number;
}

function workload(
  name: string,
  options: ShapeOptions,
  writtenBytes: number,
  loads: Workload['loads'],
): Workload {
  const ramBytes = options.ramBytes ?? 128 * mebibyte;
  if (writtenBytes > ramBytes)
    throw new Error(`${name}: writes ${writtenBytes} of ${ramBytes} bytes; give it more ramBytes`);
  return {
    name,
    ramBytes,
    writtenBytes,
    writtenContents: [options.writtenContent ?? contents.random].flat(),
    restContent: options.restContent ?? contents.random,
    vcpuBusyShare: options.vcpuBusyShare ?? 1,
    scattered: options.scattered ?? false,
    loads,
  };
}

function load(
  offsetBytes: number,
  bytes: number,
  pagesPerSecond: number,
  order: Load['order'] = 'random',
): Load {
  return { firstPage: toPages(offsetBytes), pages: toPages(bytes), pagesPerSecond, order };
}

/** A kernel's housekeeping and nothing else. */
export function idle(options: ShapeOptions = {}): Workload {
  const loads = [load(0, mebibyte, 50)];
  return workload('idle', { vcpuBusyShare: 0.02, ...options }, mebibyte, () => loads);
}

/** Uniform random writes over one working set. */
export function workingSet(options: WriteOptions): Workload {
  const loads = [load(0, options.bytes, options.pagesPerSecond)];
  return workload('working-set', options, options.bytes, () => loads);
}

/** Most writes fall on a tenth of the pages, the rest over all of them. */
export function hotSet(options: WriteOptions): Workload {
  const { bytes, pagesPerSecond } = options;
  const loads = [load(0, bytes / 10, pagesPerSecond * 0.8), load(0, bytes, pagesPerSecond * 0.2)];
  return workload('hot-set', options, bytes, () => loads);
}

/** One page after the other, round and round: every round finds the most distinct pages. */
export function sweep(options: WriteOptions): Workload {
  const loads = [load(0, options.bytes, options.pagesPerSecond, 'sequential')];
  return workload('sweep', options, options.bytes, () => loads);
}

/** Full speed for `busyMilliseconds`, then rest for `calmMilliseconds`, and so on. */
export function cyclic(
  options: WriteOptions & { readonly busyMilliseconds: number; readonly calmMilliseconds: number },
): Workload {
  const period = options.busyMilliseconds + options.calmMilliseconds;
  const busy = [load(0, options.bytes, options.pagesPerSecond)];
  const calm = [load(0, options.bytes, options.pagesPerSecond / 50)];
  return workload('cyclic', options, options.bytes, (run) =>
    run % period < options.busyMilliseconds ? busy : calm,
  );
}

/** One heavy burst, and calm before and after it. */
export function bursty(
  options: WriteOptions & { readonly fromMilliseconds: number; readonly toMilliseconds: number },
): Workload {
  const burst = [load(0, options.bytes, options.pagesPerSecond)];
  const calm = [load(0, options.bytes, options.pagesPerSecond / 50)];
  return workload('bursty', options, options.bytes, (run) =>
    run >= options.fromMilliseconds && run < options.toMilliseconds ? burst : calm,
  );
}

/** From a light load to a heavy one for good, on other pages than before. */
export function phaseChange(options: WriteOptions & { readonly atMilliseconds: number }): Workload {
  const { bytes, pagesPerSecond } = options;
  const before = [load(0, bytes / 4, pagesPerSecond / 10)];
  const after = [load(bytes / 4, (bytes * 3) / 4, pagesPerSecond)];
  return workload('phase-change', options, bytes, (run) =>
    run < options.atMilliseconds ? before : after,
  );
}
