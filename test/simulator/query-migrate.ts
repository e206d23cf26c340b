/** What `query-migrate` of the simulated QEMU answers, as the source's agent would pass it on. */
import type { CompressionSample, MigrationSample, RamSample } from '../../shared/sample.ts';
import type { Qemu } from './qemu.ts';
import type { Simulation } from './simulation.ts';
import { pageBytes } from './workload.ts';

const shyMilliseconds = 50;

/** The answer now; `ram` is absent before the start and after a cancel, as in QEMU. */
export function sampleOf(simulation: Simulation): MigrationSample {
  const { qemu, nowMilliseconds, throttlePercent } = simulation;
  if (qemu === undefined) return { status: 'none', throttlePercent };
  if (qemu.status === 'cancelled') return { status: 'cancelled', throttlePercent };
  const end = qemu.status === 'completed' ? qemu.endsAtMilliseconds : nowMilliseconds;
  const xbzrle = qemu.encoder.xbzrle;
  return {
    status: qemu.status,
    totalMilliseconds: Math.round(end - qemu.startedAtMilliseconds),
    throttlePercent,
    vcpuSeconds: vcpuSeconds(simulation),
    ram: ramOf(qemu),
    ...(qemu.status === 'completed' && { downtimeMilliseconds: downtime(qemu, nowMilliseconds) }),
    ...(qemu.throttlePercent > 0 && { cpuThrottlePercent: qemu.throttlePercent }),
    ...(xbzrle !== undefined && { xbzrle }),
    ...(qemu.arming.family === 'compress' && { compression: compressionOf(qemu) }),
  };
}

/** 7.2 may say 0 right after the end; the figure comes a little later. */
function downtime(qemu: Qemu, nowMilliseconds: number): number {
  const early = nowMilliseconds - qemu.endsAtMilliseconds < shyMilliseconds;
  return qemu.version === '7.2' && early ? 0 : qemu.downtimeMilliseconds;
}

function vcpuSeconds({ guest }: Simulation): number {
  return (guest.runMilliseconds / 1000) * guest.workload.vcpuBusyShare;
}

function ramOf(qemu: Qemu): RamSample {
  const { encoder, transferredBytes, arming } = qemu;
  const multifd = arming.family.startsWith('multifd');
  // QEMU counts pages that a codec dealt with in the codec's own statistics.
  const codedPages = arming.family === 'compress' ? encoder.sentPages : 0;
  const normalPages = encoder.sentPages - (encoder.xbzrle?.encodedPages ?? 0) - codedPages;
  return {
    transferredBytes: Math.round(transferredBytes),
    remainingBytes: qemu.remainingBytes,
    totalBytes: qemu.ramBytes,
    duplicatePages: encoder.zeroPages,
    normalPages,
    normalBytes: normalPages * pageBytes,
    dirtySyncCount: qemu.syncs.length,
    dirtyPagesPerSecond: qemu.dirtyPagesPerSecond,
    pagesPerSecond: Math.round(qemu.measuredBytesPerSecond / pageBytes),
    pageBytes,
    bandwidthBytesPerSecond: qemu.measuredBytesPerSecond,
    multifdBytes: multifd ? Math.round(transferredBytes) : 0,
    precopyBytes: Math.round(transferredBytes),
    downtimeBytes: 0,
    postcopyBytes: 0,
    postcopyRequests: 0,
  };
}

function compressionOf({ encoder, transferredBytes }: Qemu): CompressionSample {
  return {
    pages: encoder.sentPages,
    busyCount: 0,
    busyShare: 0,
    compressedBytes: Math.round(transferredBytes),
    compressionRatio:
      transferredBytes === 0 ? 1 : (encoder.sentPages * pageBytes) / transferredBytes,
  };
}
