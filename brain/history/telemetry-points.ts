/** Points of what agents see, named by what their messages say of themselves and nothing else. */
import type { HostSample, MigrationSample, QemuRef, VmActivity } from '../../shared/sample.ts';
import type { Telemetry, TelemetryHeader } from '../../shared/telemetry.ts';
import type { Side } from '../core/decision.ts';
import { figuresOf } from './figures.ts';
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
    case 'attach':
      return [eventPoint(header, body.facts.ref, { name: 'attach', summary: '' }, body.facts)];
    case 'detach':
      return [eventPoint(header, body.ref, { name: 'detach', summary: body.reason }, body)];
    case 'event':
      return [eventPoint(header, body.ref, { name: body.name, summary: '' }, body.detail)];
    case 'alert':
      return [eventPoint(header, body.ref, { name: 'alert', summary: body.message }, body)];
  }
}

/** What query-migrate said. */
function samplePoint(
  ref: QemuRef,
  sample: MigrationSample,
  stamp: Stamp,
  membership?: Membership,
): PointParts {
  const { ram } = sample;
  const { whole, real } = figuresOf(sample, ['xbzrle', 'compression']);
  const dirtied = ram && ram.dirtyPagesPerSecond * ram.pageBytes;
  return {
    measurement: measurements.sample,
    ...tagsAndTime(ref, stamp),
    whole,
    real: { ...real, dirty_bytes_per_second: dirtied },
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
    ...figuresOf(activity),
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
  { pressure, ...sample }: HostSample,
  { atMilliseconds, sequence: number }: Stamp,
): readonly PointParts[] {
  const { whole, real } = figuresOf(sample);
  const shares = {
    pressure_cpu_share: pressure?.cpu,
    pressure_memory_share: pressure?.memory,
    pressure_io_share: pressure?.io,
  };
  return [
    {
      measurement: measurements.host,
      tags: { host },
      ...{ atMilliseconds, number, whole },
      real: { ...real, ...shares },
    },
    ...sample.nics.map((nic) => ({
      measurement: measurements.nic,
      tags: { host, nic: nic.name },
      ...{ atMilliseconds, number },
      ...figuresOf(nic),
    })),
  ];
}

/** What happened to a VM or an agent, in QEMU's words or ours. */
function eventPoint(
  { host, ...stamp }: TelemetryHeader,
  ref: QemuRef | undefined,
  text: Readonly<Record<'name' | 'summary', string>>,
  document: object,
): PointParts {
  const { atMilliseconds, sequence: number } = stamp;
  const place = ref ? tagsAndTime(ref, stamp) : { tags: { host }, atMilliseconds, number };
  return { measurement: measurements.event, ...place, text, document };
}
