/** Points of what agents see, named by what their messages say of themselves and nothing else. */
import type { HostSample, MigrationSample, QemuRef, VmActivity } from '../../shared/sample.ts';
import type { Telemetry, TelemetryHeader } from '../../shared/telemetry.ts';
import type { Side } from '../core/decision.ts';
import type { PointParts } from './line.ts';
import { measurements } from './points.ts';

/** The migration that a QEMU is in, or was in at the time. */
export interface Membership {
  readonly migration: string;
  readonly side: Side;
}

/** A moment as an agent stamps it; no two of its messages share both figures. */
type Stamp = Pick<TelemetryHeader, 'atMilliseconds' | 'sequence'>;

/** The points of one message; `memberOf` tells what a QEMU was part of at a time. */
export function telemetryPoints(
  { header, body }: Telemetry,
  memberOf: (ref: QemuRef, atMilliseconds: number) => Membership | undefined,
): readonly PointParts[] {
  switch (body.kind) {
    case 'host':
      return hostPoints(header.host, body.sample, header);
    case 'activity': {
      const membership = memberOf(body.ref, header.atMilliseconds);
      return [activityPoint(body.ref, body.activity, header, membership)];
    }
    case 'migration': {
      const membership = memberOf(body.ref, header.atMilliseconds);
      return [samplePoint(body.ref, body.sample, header, membership)];
    }
    default:
      return [];
  }
}

/** What query-migrate said, as far as people look at it later. */
function samplePoint(
  ref: QemuRef,
  sample: MigrationSample,
  stamp: Stamp,
  membership?: Membership,
): PointParts {
  const { ram } = sample;
  return {
    measurement: measurements.sample,
    ...tagsAndTime(ref, stamp),
    whole: {
      remaining_bytes: ram?.remainingBytes,
      transferred_bytes: ram?.transferredBytes,
      dirty_sync_count: ram?.dirtySyncCount,
      expected_downtime_milliseconds: sample.expectedDowntimeMilliseconds,
      downtime_milliseconds: sample.downtimeMilliseconds,
    },
    real: {
      dirty_bytes_per_second: ram && ram.dirtyPagesPerSecond * ram.pageBytes,
      bandwidth_bytes_per_second: ram?.bandwidthBytesPerSecond,
      throttle_percent: sample.throttlePercent,
      vcpu_seconds: sample.vcpuSeconds,
    },
    text: { status: sample.status, error: sample.errorDescription, ...membership },
  };
}

/** A guest's own work, migrating or not. */
function activityPoint(
  ref: QemuRef,
  activity: VmActivity,
  stamp: Stamp,
  membership?: Membership,
): PointParts {
  return {
    measurement: measurements.activity,
    ...tagsAndTime(ref, stamp),
    real: {
      vcpu_busy_share: activity.vcpuBusyShare,
      block_bytes_per_second: activity.blockBytesPerSecond,
      block_operations_per_second: activity.blockOperationsPerSecond,
    },
    text: { ...membership },
  };
}

/** Source and destination may be on one host: the process tells them apart. */
function tagsAndTime({ host, uuid, qemuPid }: QemuRef, { atMilliseconds, sequence }: Stamp) {
  const tags = { host, vm: uuid, qemu: String(qemuPid) };
  return { tags, atMilliseconds, number: sequence };
}

/** One for the host and one for each of its NICs. */
function hostPoints(
  host: string,
  sample: HostSample,
  { atMilliseconds, sequence: number }: Stamp,
): readonly PointParts[] {
  return [
    {
      measurement: measurements.host,
      tags: { host },
      atMilliseconds,
      number,
      whole: {
        total_memory_bytes: sample.totalMemoryBytes,
        free_memory_bytes: sample.freeMemoryBytes,
      },
      real: {
        cpu_busy_share: sample.cpuBusyShare,
        cpu_steal_share: sample.cpuStealShare,
        idle_cpu_cores: sample.idleCpuCores,
        pressure_cpu_share: sample.pressure?.cpu,
        pressure_memory_share: sample.pressure?.memory,
        pressure_io_share: sample.pressure?.io,
      },
    },
    ...sample.nics.map((nic) => ({
      measurement: measurements.nic,
      tags: { host, nic: nic.name },
      atMilliseconds,
      number,
      real: {
        sent_bytes_per_second: nic.sentBytesPerSecond,
        received_bytes_per_second: nic.receivedBytesPerSecond,
        speed_bytes_per_second: nic.speedBytesPerSecond,
      },
    })),
  ];
}
