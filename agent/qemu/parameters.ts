/**
 * The one table of parameters: QEMU's name, our setting, the range, and what a change does while a
 * migration runs (qemu-facts A1 to A3, measured on 7.2 and 10.0).
 */
import type { Arming, Tuning } from '../../shared/command.ts';

export type ParameterValue = number | string | boolean;

/** One of QEMU's migration parameters, as ferryman uses it. */
export interface Parameter {
  /** `acts` at once or at the next sync; `ignored`: accepted without effect; `kills`: QEMU crashes. */
  readonly inFlight: 'acts' | 'ignored' | 'kills';
  /** QEMU's own legal range. Absent for switches and words. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly powerOfTwo?: true;
  readonly arming?: (arming: Arming) => ParameterValue | undefined;
  readonly tuning?: (tuning: Tuning) => number | undefined;
}

const mebibyte = 1024 * 1024;
/** Any larger figure means "no limit", and is no longer exact in a double. */
const unlimitedBytesPerSecond = Number.MAX_SAFE_INTEGER;

/** True for the families that use several connections. */
export const isMultifd = ({ family }: Arming): boolean => family.startsWith('multifd');
const multifdCompression = ({ family }: Arming): string => family.split('-')[1] ?? 'none';

/** Every parameter that ferryman sets; a name that is missing here is never sent. */
export const parameterTable: Readonly<Record<string, Parameter>> = {
  'downtime-limit': {
    inFlight: 'acts',
    minimum: 1,
    maximum: 2_000_000,
    tuning: (tuning) => tuning.downtimeLimitMilliseconds,
  },
  // 0, -1 and 2^63 are accepted by QEMU and mean anything but "slow".
  'max-bandwidth': {
    inFlight: 'acts',
    minimum: mebibyte,
    maximum: unlimitedBytesPerSecond,
    tuning: (tuning) => tuning.maxBandwidthBytesPerSecond,
  },
  'avail-switchover-bandwidth': {
    inFlight: 'acts',
    minimum: 0,
    maximum: unlimitedBytesPerSecond,
    tuning: (tuning) => tuning.availSwitchoverBandwidthBytesPerSecond,
  },
  'max-postcopy-bandwidth': {
    inFlight: 'acts',
    minimum: 0,
    maximum: unlimitedBytesPerSecond,
    tuning: (tuning) => tuning.maxPostcopyBandwidthBytesPerSecond,
  },
  // QEMU refuses an initial throttle above the maximum.
  'cpu-throttle-initial': {
    inFlight: 'acts',
    minimum: 1,
    maximum: 99,
    tuning: ({ autoConverge }) =>
      autoConverge && Math.min(autoConverge.initialPercent, autoConverge.maxPercent),
  },
  'cpu-throttle-increment': {
    inFlight: 'acts',
    minimum: 1,
    maximum: 99,
    tuning: (tuning) => tuning.autoConverge?.incrementPercent,
  },
  'max-cpu-throttle': {
    inFlight: 'acts',
    minimum: 1,
    maximum: 99,
    tuning: (tuning) => tuning.autoConverge?.maxPercent,
  },
  'throttle-trigger-threshold': {
    inFlight: 'acts',
    minimum: 1,
    maximum: 100,
    tuning: (tuning) => tuning.autoConverge?.triggerThresholdPercent,
  },
  // It would shrink the increments near the top, and a set-point would creep instead of jump.
  'cpu-throttle-tailslow': {
    inFlight: 'acts',
    arming: ({ autoConverge }) => (autoConverge ? false : undefined),
  },
  'xbzrle-cache-size': {
    inFlight: 'ignored',
    minimum: 4096,
    maximum: 2 ** 40,
    powerOfTwo: true,
    arming: ({ family, xbzrleCacheBytes }) => (family === 'xbzrle' ? xbzrleCacheBytes : undefined),
  },
  'multifd-channels': {
    inFlight: 'kills',
    minimum: 1,
    maximum: 255,
    arming: (arming) => (isMultifd(arming) ? arming.multifdChannels : undefined),
  },
  'multifd-compression': {
    inFlight: 'ignored',
    arming: (arming) => (isMultifd(arming) ? multifdCompression(arming) : undefined),
  },
  // 7.2 accepts both multifd levels and stores neither: there it is always level 1.
  'multifd-zlib-level': {
    inFlight: 'ignored',
    minimum: 0,
    maximum: 9,
    arming: ({ family, compressionLevel }) =>
      family === 'multifd-zlib' ? compressionLevel : undefined,
  },
  'multifd-zstd-level': {
    inFlight: 'ignored',
    minimum: 0,
    maximum: 20,
    arming: ({ family, compressionLevel }) =>
      family === 'multifd-zstd' ? compressionLevel : undefined,
  },
  'compress-level': {
    inFlight: 'ignored',
    minimum: 0,
    maximum: 9,
    arming: ({ family, compressionLevel }) =>
      family === 'compress' ? compressionLevel : undefined,
  },
  'compress-threads': {
    inFlight: 'kills',
    minimum: 1,
    maximum: 255,
    arming: ({ family, compressThreads }) => (family === 'compress' ? compressThreads : undefined),
  },
};
