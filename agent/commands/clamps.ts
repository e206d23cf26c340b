/** Brings what a command asks for within the bounds of the host: pure, tighten only. */
import type { Arming, AutoConvergeSettings, Operation, Tuning } from '../../shared/command.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Situation } from './situation.ts';
import { floorToPowerOfTwo } from '../qemu/units.ts';
import {
  largestBandwidthBytesPerSecond,
  smallestBandwidthBytesPerSecond,
  type HostPolicy,
} from '../host/policy-file.ts';

const smallestDowntimeMilliseconds = 10;
const probeBudgetMilliseconds = { least: 100, most: 2000 };
/** The share of the free memory that an XBZRLE cache may take. */
const cacheShareOfFreeMemory = 0.25;
const mostChannels = 8;
const mostThreads = 8;

/** The operation within the bounds of this host; what needs no bound is returned as it is. */
export function clampOperation(operation: Operation, vm: Situation, policy: HostPolicy): Operation {
  switch (operation.kind) {
    case 'probe': {
      const { least, most } = probeBudgetMilliseconds;
      const budgetMilliseconds = within(operation.budgetMilliseconds, least, most);
      return { ...operation, budgetMilliseconds };
    }
    case 'arm':
      return {
        ...operation,
        arming: clampArming(operation.arming, vm.facts),
        tuning: clampTuning(operation.tuning, policy),
      };
    case 'tune':
      return { ...operation, tuning: clampTuning(operation.tuning, policy) };
    case 'throttle': {
      const cap = throttleCap(operation.mechanism, vm, policy);
      return { ...operation, percent: within(Math.round(operation.percent), 0, cap) };
    }
    default:
      return operation;
  }
}

/**
 * The cap holds for what both mechanisms deny together. QEMU's throttle lets go only at its next sync:
 * until then a quota gets no more than what the cap leaves. The inert 1 % does not count.
 */
function throttleCap(mechanism: string, vm: Situation, policy: HostPolicy): number {
  const cap = policy.maxThrottlePercent;
  const inForce = vm.qemuThrottlePercent ?? 0;
  if (mechanism === 'qemu' || inForce <= 1) return cap;
  const left = 100 * (1 - (100 - cap) / (100 - inForce));
  return within(Math.floor(left), 0, cap);
}

function clampArming(arming: Arming, facts: VmFacts): Arming {
  const bounded = {
    multifdChannels: boundedInteger(arming.multifdChannels, 1, mostChannels),
    compressThreads: boundedInteger(arming.compressThreads, 1, mostThreads),
    compressionLevel: boundedInteger(arming.compressionLevel, 0, mostLevel(arming)),
    xbzrleCacheBytes: clampCache(arming.xbzrleCacheBytes, facts),
  };
  return { ...arming, ...present(bounded) };
}

/**
 * QEMU wants a power of two of at least a page, and would take 2^62 without a word. The power of two
 * that holds all of the guest's RAM is the most that is of use: a smaller cache than its working set
 * throws out each page before it comes again.
 */
function clampCache(wanted: number | undefined, facts: VmFacts): number | undefined {
  if (wanted === undefined) return undefined;
  const wholeRamBytes = 2 ** Math.ceil(Math.log2(facts.ramBytes));
  const most = Math.min(facts.freeMemoryBytes * cacheShareOfFreeMemory, wholeRamBytes);
  const bounded = within(wanted, facts.pageBytes, Math.max(most, facts.pageBytes));
  return floorToPowerOfTwo(bounded);
}

function mostLevel({ family }: Arming): number {
  return family === 'multifd-zstd' ? 20 : 9;
}

function clampTuning(tuning: Tuning, policy: HostPolicy): Tuning {
  const available = tuning.availSwitchoverBandwidthBytesPerSecond;
  const bounded = {
    downtimeLimitMilliseconds: boundedInteger(
      tuning.downtimeLimitMilliseconds,
      smallestDowntimeMilliseconds,
      policy.maxDowntimeMilliseconds,
    ),
    maxBandwidthBytesPerSecond: clampBandwidth(tuning.maxBandwidthBytesPerSecond, policy),
    maxPostcopyBandwidthBytesPerSecond: clampBandwidth(
      tuning.maxPostcopyBandwidthBytesPerSecond,
      policy,
    ),
    // An estimate for QEMU, not a limit: 0 is its word for "measure it yourself".
    availSwitchoverBandwidthBytesPerSecond:
      available === 0
        ? 0
        : boundedInteger(
            available,
            smallestBandwidthBytesPerSecond,
            largestBandwidthBytesPerSecond,
          ),
    autoConverge:
      tuning.autoConverge && clampAutoConverge(tuning.autoConverge, policy.maxThrottlePercent),
  };
  return { ...tuning, ...present(bounded) };
}

/** QEMU's 0 means "no limit at all" to post-copy and "nothing" to pre-copy: neither is ever sent. */
function clampBandwidth(wanted: number | undefined, policy: HostPolicy): number | undefined {
  const most = policy.maxBandwidthBytesPerSecond;
  return wanted === 0 ? most : boundedInteger(wanted, smallestBandwidthBytesPerSecond, most);
}

/** QEMU's own escalation is bounded by `max`, which it wants at or above `initial`. */
function clampAutoConverge(wanted: AutoConvergeSettings, cap: number): AutoConvergeSettings {
  const maxPercent = within(Math.round(wanted.maxPercent), 1, cap);
  return {
    initialPercent: within(Math.round(wanted.initialPercent), 1, maxPercent),
    incrementPercent: within(Math.round(wanted.incrementPercent), 1, 99),
    maxPercent,
    triggerThresholdPercent: within(Math.round(wanted.triggerThresholdPercent), 1, 100),
  };
}

function boundedInteger(
  value: number | undefined,
  least: number,
  most: number,
): number | undefined {
  return value === undefined ? undefined : within(Math.round(value), least, most);
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** Only what is there: a setting that nobody asked for is not sent. */
function present<T extends object>(settings: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
