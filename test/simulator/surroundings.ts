/** What a simulated QEMU finds around it, and its parameters when nobody has set them. */
import type { Tuning } from '../../shared/command.ts';
import { defaultAutoConverge } from './auto-converge.ts';
import { mebibyte } from './workload.ts';

export type QemuVersion = '7.2' | '10.0';

/** How the engine is placed: what the link gives, and what encoding and stopping cost here. */
export interface QemuSurroundings {
  readonly version: QemuVersion;
  readonly linkBytesPerSecond: (nowMilliseconds: number) => number;
  readonly idleCpuCores: number;
  /** Time in which the guest stands still beside the transfer of the remainder. */
  readonly switchoverMilliseconds: number;
}

export type MigrationStatus =
  'none' | 'active' | 'device' | 'postcopy-active' | 'completed' | 'cancelled';

export const defaultTuning = {
  downtimeLimitMilliseconds: 300,
  maxBandwidthBytesPerSecond: 128 * mebibyte,
  availSwitchoverBandwidthBytesPerSecond: 0,
  maxPostcopyBandwidthBytesPerSecond: 0,
  autoConverge: defaultAutoConverge,
} as const satisfies Required<Tuning>;
