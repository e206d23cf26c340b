/** Whom `adaptive` is measured against: choices made before the start and never looked at again. */
import type { Arming } from '../../../shared/command.ts';
import type { Family } from '../../../shared/sample.ts';
import { setPoint } from '../../simulator/agents.ts';
import { defaultAutoConverge } from '../../simulator/auto-converge.ts';
import { plainArming, type Choice } from '../../simulator/baseline.ts';
import type { Scenario } from '../../simulator/simulation.ts';
import { mebibyte } from '../../simulator/workload.ts';

export interface NamedChoice extends Choice {
  readonly name: string;
}

/** What everybody sets: the cap of 128 MiB/s that QEMU starts with is nobody's choice. */
const tuning = { maxBandwidthBytesPerSecond: 0 };
const setPoints = [90, 99, 80, 50] as const;

function inFamily(name: string, family: Family, more: Partial<Arming> = {}): NamedChoice {
  return { name, arming: { ...plainArming, family, ...more }, tuning };
}

const twoChannels = { multifdChannels: 2, compressionLevel: 1 };

const families: readonly NamedChoice[] = [
  inFamily('none', 'plain'),
  inFamily('multifd-zstd', 'multifd-zstd', twoChannels),
  inFamily('multifd-zlib', 'multifd-zlib', twoChannels),
  inFamily('multifd-none', 'multifd', { multifdChannels: 2 }),
  inFamily('xbzrle-64', 'xbzrle', { xbzrleCacheBytes: 64 * mebibyte }),
  inFamily('xbzrle-16', 'xbzrle', { xbzrleCacheBytes: 16 * mebibyte }),
];

const compress = inFamily('compress', 'compress', { compressThreads: 2 });

function armed(name: string, autoConverge: ReturnType<typeof setPoint>): NamedChoice {
  const arming = { ...plainArming, autoConverge: true };
  return { name, arming, tuning: { ...tuning, autoConverge } };
}

/**
 * Those that exist on the scenario's QEMU and keep to a cap on the throttle: an owner who allows
 * 90 % has no use for a choice of 99 %. The likely winners come first.
 */
export function choicesWithin(
  { version }: Scenario,
  maxThrottlePercent: number,
): readonly NamedChoice[] {
  const allowed = setPoints.filter((percent) => percent <= maxThrottlePercent);
  const maxPercent = Math.min(defaultAutoConverge.maxPercent, maxThrottlePercent);
  return [
    ...allowed.map((throttlePercent) => ({
      name: `cgroup-${throttlePercent}`,
      tuning,
      throttlePercent,
    })),
    ...families,
    ...(version === '7.2' ? [compress] : []),
    ...allowed.map((percent) => armed(`qemu-${percent}`, setPoint(percent))),
    armed('auto-converge', { ...defaultAutoConverge, maxPercent }),
  ];
}
