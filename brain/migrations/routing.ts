/** Which VM stands on which side of a migration, and which telemetry is that side's input. */
import type { QemuRef, VmFacts } from '../../shared/sample.ts';
import type { Telemetry, TelemetryBody } from '../../shared/telemetry.ts';
import type { Side } from '../core/decision.ts';
import type { Input } from '../core/input.ts';

const sideNames: readonly Side[] = ['source', 'destination'];

/** A place is a monitor on a host; the QEMU that answers there may be replaced by a fresh one. */
export interface Place {
  readonly host: string;
  readonly monitor: string;
  readonly ref: QemuRef;
}

/** Where a migration of somebody else leads is not known. */
export interface Sides {
  readonly source: Place;
  readonly destination?: Place;
}

/** Where this VM is found. */
export function placeOf(facts: VmFacts): Place {
  return { host: facts.ref.host, monitor: facts.monitor, ref: facts.ref };
}

/** Whether two are one monitor, whichever QEMU answers there. */
export function samePlace(a: Place, b: Place): boolean {
  return a.host === b.host && a.monitor === b.monitor;
}

/** The sides after these facts: a new incarnation of the same VM at a side's place takes it over. */
export function reattach(sides: Sides, facts: VmFacts): Sides {
  const place = placeOf(facts);
  const side = sideNames.find((name) => isSameVm(sides[name], place));
  return side === undefined ? sides : { ...sides, [side]: place };
}

function isSameVm(side: Place | undefined, place: Place): boolean {
  return side !== undefined && samePlace(side, place) && side.ref.uuid === place.ref.uuid;
}

/** The inputs that one message is to a migration: none, one, or two when both sides share a host. */
export function inputsOf(
  sides: Sides,
  { header, body }: Telemetry,
  atMilliseconds: number,
): readonly Input[] {
  if (body.kind === 'event' || body.kind === 'alert') return [];
  return sideNames
    .filter((side) => concerns(sides[side], header.host, body))
    .flatMap((side) => inputOf(side, body, atMilliseconds) ?? []);
}

function concerns(place: Place | undefined, host: string, body: TelemetryBody): boolean {
  if (place === undefined) return false;
  if (body.kind === 'host') return place.host === host;
  const ref = body.kind === 'attach' ? body.facts.ref : 'ref' in body ? body.ref : undefined;
  return ref !== undefined && sameRef(place.ref, ref);
}

function inputOf(side: Side, body: TelemetryBody, atMilliseconds: number): Input | undefined {
  switch (body.kind) {
    case 'attach':
      return { kind: 'attach', atMilliseconds, side, facts: body.facts };
    case 'detach':
      return { kind: 'detach', atMilliseconds, side, reason: body.reason };
    case 'migration':
      return { kind: 'sample', atMilliseconds, side, sample: body.sample };
    case 'host':
      return { kind: 'host', atMilliseconds, side, host: body.sample };
    case 'activity':
      // The guest runs on the source; a waiting destination has no activity to speak of.
      if (side === 'destination') return undefined;
      return { kind: 'activity', atMilliseconds, activity: body.activity };
    default:
      return undefined;
  }
}

function sameRef(a: QemuRef, b: QemuRef): boolean {
  return (
    a.host === b.host && a.agentBoot === b.agentBoot && a.qemuPid === b.qemuPid && a.uuid === b.uuid
  );
}
