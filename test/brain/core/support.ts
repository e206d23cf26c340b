/** Builders for what the core looks at. */
import type { Arming } from '../../../shared/command.ts';
import { defaultObjective, type Objective } from '../../../shared/objective.ts';
import type {
  HostSample,
  MigrationSample,
  ProbeReport,
  RamSample,
  VmFacts,
} from '../../../shared/sample.ts';
import type { Side } from '../../../brain/core/decision.ts';
import type { MigrateOrder } from '../../../brain/core/input.ts';
import { around } from '../../../brain/core/link.ts';
import type { Migration, Round } from '../../../brain/core/migration.ts';
import { startMigration } from '../../../brain/core/reduce.ts';

export const mebibyte = 2 ** 20;
export const pageBytes = 4096;
export const endpoint = { kind: 'tcp', host: 'destination', port: 4444 } as const;
export const plainArming: Arming = { family: 'plain', autoConverge: false, postCopy: false };

export const cgroupThrottle = { mechanism: 'cgroup', lag: 'immediate', perVcpu: true } as const;
export const qemuThrottle = { mechanism: 'qemu', lag: 'next-sync', perVcpu: false } as const;

/** A QEMU that can do everything, with 128 MiB of guest RAM on a host with four idle cores. */
export function vmFacts(side: Side, change: Partial<VmFacts> = {}): VmFacts {
  return {
    ref: { host: side, agentBoot: 'boot', qemuPid: side === 'source' ? 1 : 2, uuid: 'guest' },
    name: 'guest',
    monitor: `/run/${side}.sock`,
    qemuVersion: 'any',
    runState: side === 'source' ? 'running' : 'inmigrate',
    migrationStatus: 'none',
    ramBytes: 128 * mebibyte,
    pageBytes,
    vcpus: 1,
    families: ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd'],
    postCopyFamilies: ['plain', 'xbzrle'],
    liveSettings: ['downtime-limit', 'max-bandwidth', 'avail-switchover-bandwidth', 'throttle'],
    throttles: [qemuThrottle, cgroupThrottle],
    canProbe: side === 'source',
    canStartDestination: side === 'destination',
    timerSync: false,
    idleCpuCores: 4,
    freeMemoryBytes: 2 ** 32,
    ...change,
  };
}

export function hostSample(change: Partial<HostSample> = {}): HostSample {
  return {
    cpuCores: 8,
    cpuBusyShare: 0.5,
    cpuStealShare: 0,
    idleCpuCores: 4,
    totalMemoryBytes: 2 ** 34,
    freeMemoryBytes: 2 ** 32,
    nics: [],
    ...change,
  };
}

/** A probe's curve of a guest that writes `bytesPerSecond` at random over `bytes`. */
export function randomCurve(bytes: number, bytesPerSecond: number): ProbeReport['dirtyCurve'] {
  return [100, 250, 500, 1000].map((windowMilliseconds) => ({
    windowMilliseconds,
    dirtyBytes: bytes * (1 - Math.exp((-bytesPerSecond * windowMilliseconds) / 1000 / bytes)),
  }));
}

/** Incompressible pages, written faster than a link of 32 MiB/s takes them, unless told. */
export function probeReport(change: Partial<ProbeReport> = {}): ProbeReport {
  return {
    source: 'guest-memory',
    tookMilliseconds: 1000,
    ramBytes: 128 * mebibyte,
    sampledPages: 2000,
    zeroShare: 0,
    compressionRatio: 1,
    dirtyCompressionRatio: 1,
    compressionSecondsPerPage: 67e-6,
    dirtyCurve: randomCurve(64 * mebibyte, 128 * mebibyte),
    xbzrleDeltaShare: 1,
    ...change,
  };
}

export function ramSample(change: Partial<RamSample> = {}): RamSample {
  return {
    transferredBytes: 64 * mebibyte,
    remainingBytes: 64 * mebibyte,
    totalBytes: 128 * mebibyte,
    duplicatePages: 0,
    normalPages: (64 * mebibyte) / pageBytes,
    normalBytes: 64 * mebibyte,
    dirtySyncCount: 1,
    dirtyPagesPerSecond: 0,
    pagesPerSecond: 8192,
    pageBytes,
    bandwidthBytesPerSecond: 32 * mebibyte,
    multifdBytes: 0,
    precopyBytes: 64 * mebibyte,
    downtimeBytes: 0,
    postcopyBytes: 0,
    postcopyRequests: 0,
    ...change,
  };
}

export function activeSample(
  ram: Partial<RamSample> = {},
  change: Partial<MigrationSample> = {},
): MigrationSample {
  return { status: 'active', throttlePercent: 0, ram: ramSample(ram), ...change };
}

export function migrateOrder(objective: Partial<Objective> = {}): MigrateOrder {
  return { verb: 'migrate', endpoint, objective: { ...defaultObjective, ...objective } };
}

export function roundOf(number: number, startBytes: number, endBytes: number): Round {
  return {
    number,
    attempt: 1,
    startedAtMilliseconds: 1000 * number,
    endedAtMilliseconds: 1000 * (number + 1),
    startRemainingBytes: startBytes,
    endRemainingBytes: endBytes,
    unsentBytes: 0,
    transferredBytes: startBytes,
    guestRunMilliseconds: 1000,
    throttlePercent: 0,
  };
}

/** Both sides known, a link of 32 MiB/s, ordered, not yet begun. */
export function readyMigration(change: Partial<Migration> = {}): Migration {
  return {
    ...startMigration({ id: 'm', policy: 'adaptive', atMilliseconds: 0 }),
    source: vmFacts('source'),
    destination: vmFacts('destination'),
    link: around(32 * mebibyte, 'configured'),
    order: migrateOrder(),
    orderedAtMilliseconds: 0,
    ...change,
  };
}

/** In the third round of its first attempt, 64 MiB to go at 32 MiB/s. */
export function movingMigration(change: Partial<Migration> = {}): Migration {
  return readyMigration({
    phase: 'moving',
    nowMilliseconds: 10_000,
    attempts: [
      { number: 1, arming: plainArming, startedAtMilliseconds: 1000, transferredBytes: 0 },
    ],
    tuning: { downtimeLimitMilliseconds: 300 },
    bandwidthBytesPerSecond: 32 * mebibyte,
    firstPassBytesPerSecond: 32 * mebibyte,
    laterRoundsBytesPerSecond: 32 * mebibyte,
    rounds: [roundOf(1, 128 * mebibyte, 64 * mebibyte), roundOf(2, 64 * mebibyte, 64 * mebibyte)],
    openRound: {
      number: 3,
      startedAtMilliseconds: 10_000,
      startRemainingBytes: 64 * mebibyte,
      startTransferredBytes: 0,
      startSentPages: 0,
      dirtySyncCount: 3,
      guestRunMilliseconds: 0,
    },
    last: activeSample({ dirtySyncCount: 3 }),
    lastSampleAtMilliseconds: 10_000,
    lastProgressAtMilliseconds: 10_000,
    ...change,
  });
}
