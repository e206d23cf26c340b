/** The messages of shared/sample.ts, field by field. */
import * as z from 'zod';
import * as is from './fields.ts';
import { libvirtTransports, type Arming, type LibvirtPlace } from '../command.ts';
import { rightCapabilities, type HostFacts, type Lack, type Privileges } from '../host-facts.ts';
import {
  families,
  liveSettings,
  throttleMechanisms,
  vmOwners,
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
} from '../sample.ts';
import { storageKinds, type DiskFacts, type StorageFacts } from '../storage.ts';

export const family = z.enum(families);
export const throttleMechanism = z.enum(throttleMechanisms);

export const qemuRef = is.message<QemuRef>({
  host: is.label,
  agentBoot: is.label,
  // 0 where there is no process yet, for which a destination is to be started.
  qemuPid: z
    .int()
    .min(0)
    .max(2 ** 31),
  uuid: is.label,
});

const throttleFacts = is.message<ThrottleFacts>({
  mechanism: throttleMechanism,
  lag: z.enum(['immediate', 'next-sync']),
  perVcpu: z.boolean(),
});

const diskFacts = is.message<DiskFacts>({
  device: is.text,
  location: is.text,
  storage: z.enum(storageKinds),
});

const storageFacts = is.message<StorageFacts>({ disks: is.list(diskFacts) });

export const arming = is.message<Arming>({
  family,
  autoConverge: z.boolean(),
  postCopy: z.boolean(),
  xbzrleCacheBytes: is.count.exactOptional(),
  multifdChannels: is.count.exactOptional(),
  compressionLevel: is.count.exactOptional(),
  compressThreads: is.count.exactOptional(),
});

export const vmFacts = is.message<VmFacts>({
  ref: qemuRef,
  name: is.name,
  monitor: is.text,
  qemuVersion: is.text,
  runState: is.text,
  migrationStatus: is.text,
  ramBytes: is.count,
  pageBytes: is.count,
  vcpus: is.count,
  families: is.list(family),
  postCopyFamilies: is.list(family),
  liveSettings: is.list(z.enum(liveSettings)),
  throttles: is.list(throttleFacts),
  canProbe: z.boolean(),
  canStartDestination: z.boolean(),
  timerSync: z.boolean(),
  idleCpuCores: is.amount,
  freeMemoryBytes: is.count,
  machineType: is.text.exactOptional(),
  storage: storageFacts.exactOptional(),
  foreignArming: arming.exactOptional(),
  forgetsDirtyPages: z.boolean().exactOptional(),
  listeningPort: is.port.exactOptional(),
  owner: z.enum(vmOwners).exactOptional(),
});

export const libvirtPlaceFields = {
  transport: z.enum(libvirtTransports),
  host: is.label,
  port: is.port.exactOptional(),
};

const lack = is.message<Lack>({ right: z.enum(['probe', 'cgroup']), reason: is.text });

const privileges = is.message<Privileges>({
  user: is.label,
  capabilities: is.list(z.enum(rightCapabilities)),
});

export const hostFacts = is.message<HostFacts>({
  mode: z.enum(['observe', 'act']),
  migrationAddress: is.label,
  firstMigrationPort: is.port,
  lastMigrationPort: is.port,
  occupiedPorts: is.list(is.port),
  canStartDestination: z.boolean(),
  lacks: is.list(lack),
  privileges: privileges.exactOptional(),
  libvirt: is.message<LibvirtPlace>(libvirtPlaceFields).exactOptional(),
  highestEpoch: is.count.exactOptional(),
});

const ramSample = is.message<RamSample>({
  transferredBytes: is.count,
  remainingBytes: is.count,
  totalBytes: is.count,
  duplicatePages: is.count,
  normalPages: is.count,
  normalBytes: is.count,
  dirtySyncCount: is.count,
  dirtyPagesPerSecond: is.amount,
  pagesPerSecond: is.amount,
  pageBytes: is.count,
  bandwidthBytesPerSecond: is.amount,
  multifdBytes: is.count,
  precopyBytes: is.count,
  downtimeBytes: is.count,
  postcopyBytes: is.count,
  postcopyRequests: is.count,
});

const xbzrleSample = is.message<XbzrleSample>({
  cacheBytes: is.count,
  encodedBytes: is.count,
  encodedPages: is.count,
  cacheMissPages: is.count,
  cacheMissShare: is.amount,
  encodingRatio: is.amount,
  overflowPages: is.count,
});

const compressionSample = is.message<CompressionSample>({
  pages: is.count,
  busyCount: is.count,
  busyShare: is.amount,
  compressedBytes: is.count,
  compressionRatio: is.amount,
});

export const migrationSample = is.message<MigrationSample>({
  status: is.label,
  errorDescription: is.text.exactOptional(),
  totalMilliseconds: is.amount.exactOptional(),
  setupMilliseconds: is.amount.exactOptional(),
  downtimeMilliseconds: is.amount.exactOptional(),
  expectedDowntimeMilliseconds: is.amount.exactOptional(),
  ram: ramSample.exactOptional(),
  xbzrle: xbzrleSample.exactOptional(),
  compression: compressionSample.exactOptional(),
  cpuThrottlePercent: is.percent.exactOptional(),
  throttlePercent: is.percent,
  vcpuSeconds: is.amount.exactOptional(),
  blockReadBytes: is.count.exactOptional(),
  blockWrittenBytes: is.count.exactOptional(),
  blockOperations: is.count.exactOptional(),
});

const nicSample = is.message<NicSample>({
  name: is.label,
  receivedBytesPerSecond: is.amount,
  sentBytesPerSecond: is.amount,
  speedBytesPerSecond: is.amount.exactOptional(),
});

const pressure = is.message<NonNullable<HostSample['pressure']>>({
  cpu: is.share,
  memory: is.share,
  io: is.share,
});

export const hostSample = is.message<HostSample>({
  cpuCores: is.amount,
  cpuBusyShare: is.share,
  cpuStealShare: is.share,
  idleCpuCores: is.amount,
  totalMemoryBytes: is.count,
  freeMemoryBytes: is.count,
  nics: is.list(nicSample),
  pressure: pressure.exactOptional(),
});

export const vmActivity = is.message<VmActivity>({
  vcpuBusyShare: is.amount,
  blockBytesPerSecond: is.amount,
  blockOperationsPerSecond: is.amount,
});

const dirtyPoint = is.message<DirtyPoint>({
  windowMilliseconds: is.amount,
  dirtyBytes: is.amount,
});

export const probeReport = is.message<ProbeReport>({
  source: z.enum(['guest-memory', 'calc-dirty-rate']),
  tookMilliseconds: is.amount,
  ramBytes: is.count,
  sampledPages: is.count,
  zeroShare: is.share,
  compressionRatio: is.amount.exactOptional(),
  dirtyCompressionRatio: is.amount.exactOptional(),
  compressionSecondsPerPage: is.amount.exactOptional(),
  streamCompressionGain: is.amount.exactOptional(),
  dirtyCurve: is.list(dirtyPoint),
  xbzrleDeltaShare: is.amount.exactOptional(),
});
