/** Every sample that the types allow. */
import fc from 'fast-check';
import type { Arming, LibvirtPlace } from '../../../shared/command.ts';
import {
  rightCapabilities,
  type HostFacts,
  type Lack,
  type Privileges,
} from '../../../shared/host-facts.ts';
import {
  families,
  liveSettings,
  throttleMechanisms,
  type CompressionSample,
  type DirtyPoint,
  type HostSample,
  type MigrationSample,
  type NicSample,
  type ProbeReport,
  type QemuRef,
  type RamSample,
  type ThrottleFacts,
  type VmActivity,
  type VmFacts,
  type XbzrleSample,
} from '../../../shared/sample.ts';
import { storageKinds, type DiskFacts, type StorageFacts } from '../../../shared/storage.ts';
import { amount, count, flag, label, message, percent, share, smallCount } from './arbitrary.ts';

export const family = fc.constantFrom(...families);
export const mechanism = fc.constantFrom(...throttleMechanisms);

export const qemuRef = message<QemuRef>({
  host: label,
  agentBoot: label,
  qemuPid: fc.integer({ min: 0, max: 4_194_304 }),
  uuid: label,
});

const throttleFacts = message<ThrottleFacts>({
  mechanism,
  lag: fc.constantFrom('immediate', 'next-sync'),
  perVcpu: flag,
});

const diskFacts = message<DiskFacts>({
  device: label,
  location: label,
  storage: fc.constantFrom(...storageKinds),
});

const lack = message<Lack>({ right: fc.constantFrom('probe', 'cgroup'), reason: label });

const port = fc.integer({ min: 1, max: 65_535 });

const privileges = message<Privileges>({
  user: label,
  capabilities: fc.subarray([...rightCapabilities]),
});

export const libvirtPlace = message<LibvirtPlace>(
  { transport: fc.constantFrom('tls', 'tcp', 'ssh'), host: label },
  { port },
);

export const hostFacts = message<HostFacts>(
  {
    mode: fc.constantFrom('observe', 'act'),
    migrationAddress: label,
    firstMigrationPort: port,
    lastMigrationPort: port,
    occupiedPorts: fc.array(port, { maxLength: 3 }),
    canStartDestination: flag,
    lacks: fc.array(lack, { maxLength: 2 }),
  },
  { privileges, libvirt: libvirtPlace, highestEpoch: count },
);

export const arming = message<Arming>(
  { family, autoConverge: flag, postCopy: flag },
  {
    xbzrleCacheBytes: count,
    multifdChannels: smallCount,
    compressionLevel: smallCount,
    compressThreads: smallCount,
  },
);

const vmFactsFields = {
  ref: qemuRef,
  name: label,
  monitor: label,
  qemuVersion: label,
  runState: label,
  migrationStatus: label,
  ramBytes: count,
  pageBytes: count,
  vcpus: smallCount,
  families: fc.uniqueArray(family),
  postCopyFamilies: fc.uniqueArray(family),
  liveSettings: fc.uniqueArray(fc.constantFrom(...liveSettings)),
  throttles: fc.array(throttleFacts, { maxLength: 2 }),
  canProbe: flag,
  canStartDestination: flag,
  timerSync: flag,
  idleCpuCores: amount,
  freeMemoryBytes: count,
};

export const vmFacts = message<VmFacts>(vmFactsFields, {
  machineType: label,
  storage: message<StorageFacts>({ disks: fc.array(diskFacts, { maxLength: 2 }) }),
  foreignArming: arming,
  forgetsDirtyPages: flag,
  listeningPort: port,
  owner: fc.constant('libvirt'),
});

const ram = message<RamSample>({
  transferredBytes: count,
  remainingBytes: count,
  totalBytes: count,
  duplicatePages: count,
  normalPages: count,
  normalBytes: count,
  dirtySyncCount: count,
  dirtyPagesPerSecond: amount,
  pagesPerSecond: amount,
  pageBytes: count,
  bandwidthBytesPerSecond: amount,
  multifdBytes: count,
  precopyBytes: count,
  downtimeBytes: count,
  postcopyBytes: count,
  postcopyRequests: count,
});

const xbzrle = message<XbzrleSample>({
  cacheBytes: count,
  encodedBytes: count,
  encodedPages: count,
  cacheMissPages: count,
  cacheMissShare: share,
  encodingRatio: amount,
  overflowPages: count,
});

const compression = message<CompressionSample>({
  pages: count,
  busyCount: count,
  busyShare: share,
  compressedBytes: count,
  compressionRatio: amount,
});

export const migrationSample = message<MigrationSample>(
  { status: label, throttlePercent: percent },
  {
    errorDescription: label,
    totalMilliseconds: amount,
    setupMilliseconds: amount,
    downtimeMilliseconds: amount,
    expectedDowntimeMilliseconds: amount,
    ram,
    xbzrle,
    compression,
    cpuThrottlePercent: percent,
    vcpuSeconds: amount,
    blockReadBytes: count,
    blockWrittenBytes: count,
    blockOperations: count,
  },
);

const nic = message<NicSample>(
  { name: label, receivedBytesPerSecond: amount, sentBytesPerSecond: amount },
  { speedBytesPerSecond: amount },
);

export const hostSample = message<HostSample>(
  {
    cpuCores: amount,
    cpuBusyShare: share,
    cpuStealShare: share,
    idleCpuCores: amount,
    totalMemoryBytes: count,
    freeMemoryBytes: count,
    nics: fc.array(nic, { maxLength: 3 }),
  },
  { pressure: message({ cpu: share, memory: share, io: share }) },
);

export const vmActivity = message<VmActivity>({
  vcpuBusyShare: amount,
  blockBytesPerSecond: amount,
  blockOperationsPerSecond: amount,
});

const dirtyPoint = message<DirtyPoint>({ windowMilliseconds: amount, dirtyBytes: amount });

export const probeReport = message<ProbeReport>(
  {
    source: fc.constantFrom('guest-memory', 'calc-dirty-rate'),
    tookMilliseconds: amount,
    ramBytes: count,
    sampledPages: count,
    zeroShare: share,
    dirtyCurve: fc.array(dirtyPoint, { maxLength: 4 }),
  },
  {
    compressionRatio: amount,
    dirtyCompressionRatio: amount,
    compressionSecondsPerPage: amount,
    streamCompressionGain: amount,
    xbzrleDeltaShare: amount,
  },
);
