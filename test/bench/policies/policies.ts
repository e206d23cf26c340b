/** Whom the bench compares: ferryman's policies, and fixed choices driven straight over QMP. */
import type { QemuVersion } from '../../../scripts/tools.mjs';

const mebibyte = 2 ** 20;

/** Capabilities and parameters set once, and at most one act while it runs. */
export interface StaticChoice {
  readonly capabilities: readonly string[];
  readonly parameters: Readonly<Record<string, number | string>>;
  /** CPU quota on the vCPU threads from the end of the first pass on. */
  readonly cgroupPercent?: number;
  readonly postCopyAfterFirstPass?: boolean;
}

export interface BenchPolicy {
  readonly name: string;
  /** `ferryman` runs the built command with the policy of this name. */
  readonly choice: StaticChoice | 'ferryman';
  /** Runs per cell; the best static choice in hindsight gets as many as the most. */
  readonly runs: number;
  /** Versions that have it; default all. */
  readonly qemu?: readonly QemuVersion[];
}

/** Runs of what the verdicts are about. */
export const fullRuns = 3;
const setPoints = [50, 80, 90, 99] as const;

function ferryman(name: string, runs: number): BenchPolicy {
  return { name, choice: 'ferryman', runs };
}

function fixed(
  name: string,
  capabilities: readonly string[],
  parameters: StaticChoice['parameters'],
  more: Omit<StaticChoice, 'capabilities' | 'parameters'> = {},
): BenchPolicy {
  return { name, choice: { capabilities, parameters, ...more }, runs: 1 };
}

/** Two threads or channels: this bench is at home on two cores. */
const compress: BenchPolicy = {
  ...fixed('compress', ['compress'], {
    'compress-level': 1,
    'compress-threads': 2,
    'decompress-threads': 2,
  }),
  qemu: ['7.2'],
};

function multifd(compression: string): BenchPolicy {
  return fixed(`multifd-${compression}`, ['multifd'], {
    'multifd-channels': 2,
    'multifd-compression': compression,
  });
}

/** Threshold 1 and an initial value equal to the maximum: the level is there at the second sync. */
function throttledByQemu(percent: number): BenchPolicy {
  return fixed(`qemu-${percent}`, ['auto-converge'], {
    'cpu-throttle-initial': percent,
    'cpu-throttle-increment': 99,
    'max-cpu-throttle': percent,
    'throttle-trigger-threshold': 1,
  });
}

export const policies: readonly BenchPolicy[] = [
  ferryman('adaptive', fullRuns),
  ferryman('auto-converge', fullRuns),
  ferryman('none', fullRuns),
  ferryman('ladder', 1),
  fixed('xbzrle-16', ['xbzrle'], { 'xbzrle-cache-size': 16 * mebibyte }),
  fixed('xbzrle-64', ['xbzrle'], { 'xbzrle-cache-size': 64 * mebibyte }),
  compress,
  ...['none', 'zlib', 'zstd'].map(multifd),
  ...setPoints.map(throttledByQemu),
  ...setPoints.map((percent) => fixed(`cgroup-${percent}`, [], {}, { cgroupPercent: percent })),
  fixed('post-copy', ['postcopy-ram'], {}, { postCopyAfterFirstPass: true }),
];

/** Neither ferryman's own choosers nor post-copy: what one could have set before the start. */
export function isStaticPreCopy(name: string): boolean {
  return !['adaptive', 'ladder', 'post-copy'].includes(name);
}

/**
 * From the call until `migrate` goes out, by who goes about it [measured: 1.91 to 1.98, 0.37 to 0.42,
 * 1.02 s].
 */
const preparationMilliseconds = { probing: 1950, steering: 400, fixed: 1000 } as const;

/**
 * How long to wait before the call, so that all set out at the same moment of the guest's life: one
 * that comes and goes, or changes once, must show everybody the same.
 */
export function headStartMilliseconds({ name, choice }: BenchPolicy): number {
  const { probing, steering, fixed } = preparationMilliseconds;
  if (choice !== 'ferryman') return probing - fixed;
  return ['adaptive', 'ladder'].includes(name) ? 0 : probing - steering;
}

/** Acts on what it sees while pages move; all others are set once. */
export function isSteered(name: string): boolean {
  return ['adaptive', 'ladder', 'auto-converge'].includes(name);
}
