/**
 * What agents see and announce: plain readonly data in base units. Nothing here says what to do.
 *
 * Units are in every name: bytes, bytes per second, milliseconds, percent (0 to 100), shares (0 to 1).
 * A field that QEMU did not report is absent, never zero.
 */
import type { Arming } from './command.ts';
import type { StorageFacts } from './storage.ts';

/** One QEMU process as one agent knows it. `agentBoot` changes at every start of the agent. */
export interface QemuRef {
  readonly host: string;
  readonly agentBoot: string;
  readonly qemuPid: number;
  readonly uuid: string;
}

/** Sets of capabilities that are armed together before the start; they exclude each other. */
export const families = [
  'plain',
  'xbzrle',
  'multifd',
  'multifd-zlib',
  'multifd-zstd',
  'compress',
] as const;
export type Family = (typeof families)[number];

/** A way to slow the vCPUs: QEMU's own throttle, or a CPU quota on the vCPU threads. */
export const throttleMechanisms = ['qemu', 'cgroup'] as const;
export type ThrottleMechanism = (typeof throttleMechanisms)[number];

/** What a throttle mechanism can do on this host for this VM. */
export interface ThrottleFacts {
  readonly mechanism: ThrottleMechanism;
  /** When a new level takes effect: at once, or at QEMU's next qualifying bitmap sync. */
  readonly lag: 'immediate' | 'next-sync';
  readonly perVcpu: boolean;
}

/** Parameters that act while a migration runs; an agent announces which ones this QEMU has. */
export const liveSettings = [
  'downtime-limit',
  'max-bandwidth',
  'avail-switchover-bandwidth',
  'max-postcopy-bandwidth',
  'throttle',
] as const;
export type LiveSetting = (typeof liveSettings)[number];

/**
 * Facts about one VM, announced at attach. The agent evaluates its hazard table; the core
 * never reasons about version numbers.
 */
export interface VmFacts {
  readonly ref: QemuRef;
  /** The operator's name of the VM (QEMU's -name, else the monitor socket's base name). */
  readonly name: string;
  /** Which monitor the agent reached it by (a socket path). */
  readonly monitor: string;
  readonly qemuVersion: string;
  /** QEMU run state, e.g. `running`, `inmigrate`, `postmigrate`. */
  readonly runState: string;
  /** `status` of query-migrate, `none` when QEMU has no migration. */
  readonly migrationStatus: string;
  readonly ramBytes: number;
  readonly pageBytes: number;
  readonly vcpus: number;
  readonly families: readonly Family[];
  /** Families in which post-copy may be armed too. */
  readonly postCopyFamilies: readonly Family[];
  readonly liveSettings: readonly LiveSetting[];
  readonly throttles: readonly ThrottleFacts[];
  readonly canProbe: boolean;
  readonly canStartDestination: boolean;
  /** True when QEMU syncs the dirty bitmap by a timer while auto-converge is armed (QEMU 9.2 on). */
  readonly timerSync: boolean;
  readonly idleCpuCores: number;
  readonly freeMemoryBytes: number;
  /** QEMU's versioned machine type, e.g. `pc-i440fx-7.2`; both sides of a migration have the same. */
  readonly machineType?: string;
  /** What the guest reads and writes; absent when QEMU did not say. */
  readonly storage?: StorageFacts;
  /** What the migration under way was started with, when ferryman did not start it. */
  readonly foreignArming?: Arming;
  /** QEMU loses sight of pages that this guest writes: it may hang after any migration. */
  readonly forgetsDirtyPages?: boolean;
  /** The TCP port on which its own `-incoming` listens; absent of one started with `-incoming defer`. */
  readonly listeningPort?: number;
  /** Who runs its QEMU and begins its migrations; absent when ferryman does so by itself. */
  readonly owner?: VmOwner;
}

/** Managers through which a VM is reached; they make its destination themselves. */
export const vmOwners = ['libvirt'] as const;
export type VmOwner = (typeof vmOwners)[number];

/** query-migrate, in base units. `ram` figures are absent once QEMU drops them. */
export interface MigrationSample {
  /** QEMU's own word: none, setup, active, pre-switchover, device, postcopy-active, completed, failed, ... */
  readonly status: string;
  readonly errorDescription?: string;
  readonly totalMilliseconds?: number;
  readonly setupMilliseconds?: number;
  readonly downtimeMilliseconds?: number;
  readonly expectedDowntimeMilliseconds?: number;
  readonly ram?: RamSample;
  readonly xbzrle?: XbzrleSample;
  readonly compression?: CompressionSample;
  /** QEMU's own throttle; absent until it first engaged. */
  readonly cpuThrottlePercent?: number;
  /** What the guest is really denied now: QEMU's throttle or the cgroup quota, whichever is in force. */
  readonly throttlePercent: number;
  /** CPU time of the vCPU threads since the process began, all vCPUs added. */
  readonly vcpuSeconds?: number;
  readonly blockReadBytes?: number;
  readonly blockWrittenBytes?: number;
  readonly blockOperations?: number;
}

export interface RamSample {
  readonly transferredBytes: number;
  readonly remainingBytes: number;
  readonly totalBytes: number;
  readonly duplicatePages: number;
  readonly normalPages: number;
  readonly normalBytes: number;
  readonly dirtySyncCount: number;
  readonly dirtyPagesPerSecond: number;
  readonly pagesPerSecond: number;
  readonly pageBytes: number;
  readonly bandwidthBytesPerSecond: number;
  readonly multifdBytes: number;
  readonly precopyBytes: number;
  readonly downtimeBytes: number;
  readonly postcopyBytes: number;
  readonly postcopyRequests: number;
}

export interface XbzrleSample {
  readonly cacheBytes: number;
  readonly encodedBytes: number;
  readonly encodedPages: number;
  readonly cacheMissPages: number;
  readonly cacheMissShare: number;
  readonly encodingRatio: number;
  readonly overflowPages: number;
}

export interface CompressionSample {
  readonly pages: number;
  readonly busyCount: number;
  readonly busyShare: number;
  readonly compressedBytes: number;
  readonly compressionRatio: number;
}

/** Host telemetry; rates are over the time since the sample before. */
export interface HostSample {
  readonly cpuCores: number;
  readonly cpuBusyShare: number;
  readonly cpuStealShare: number;
  readonly idleCpuCores: number;
  readonly totalMemoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly nics: readonly NicSample[];
  /** PSI `some avg10` shares, 0 to 1; absent when the kernel has no PSI. */
  readonly pressure?: { readonly cpu: number; readonly memory: number; readonly io: number };
}

export interface NicSample {
  readonly name: string;
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  /** Link speed; absent when the driver does not know (virtual NICs, loopback). */
  readonly speedBytesPerSecond?: number;
}

/** One point of the dirty-rate curve: distinct bytes dirtied within a window. */
export interface DirtyPoint {
  readonly windowMilliseconds: number;
  readonly dirtyBytes: number;
}

/** What the workload probe found by sampling guest RAM, or by calc-dirty-rate without that right. */
export interface ProbeReport {
  readonly source: 'guest-memory' | 'calc-dirty-rate';
  readonly tookMilliseconds: number;
  readonly ramBytes: number;
  readonly sampledPages: number;
  /** Share of pages that are all zero. */
  readonly zeroShare: number;
  /** zlib level 1, page by page: uncompressed over compressed size of the non-zero pages; absent without page access. */
  readonly compressionRatio?: number;
  /** The same over pages seen dirtied: what later rounds send. */
  readonly dirtyCompressionRatio?: number;
  readonly compressionSecondsPerPage?: number;
  /** How many times smaller neighbouring pages become in one zlib stream than page by page; from 1. */
  readonly streamCompressionGain?: number;
  /** W(tau), growing in tau: distinct bytes dirtied within each window. */
  readonly dirtyCurve: readonly DirtyPoint[];
  /** Mean XBZRLE-encoded size over page size (0 to 1) of dirtied pages after one window. */
  readonly xbzrleDeltaShare?: number;
}

/** Vcpu use and block I/O of a VM at rest or migrating. */
export interface VmActivity {
  readonly vcpuBusyShare: number;
  readonly blockBytesPerSecond: number;
  readonly blockOperationsPerSecond: number;
}
