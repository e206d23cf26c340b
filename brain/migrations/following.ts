/** Takes migrations in hand that somebody else has started, from the first sample that shows one. */
import type { BrainConfig } from '../../shared/config.ts';
import { ruleFor, type Mode } from '../../shared/config/vms.ts';
import { defaultObjective, type Objective } from '../../shared/objective.ts';
import type { VmFacts } from '../../shared/sample.ts';
import { incomingEvent, type Telemetry } from '../../shared/telemetry.ts';
import { awaitedVm } from './awaited.ts';
import type { Side } from '../core/decision.ts';
import type { Input } from '../core/input.ts';
import type { Migration } from '../core/migration.ts';
import type { Fleet } from '../fleet.ts';
import type { LinkMemory } from './link-memory.ts';
import { isAtRest } from '../desk/preflight.ts';

/** What is done for a migration of somebody else. */
export interface Following {
  /** observe: nothing is sent; advise: what would be done is noted; act: it is tuned. */
  readonly mode: Mode;
  readonly policy: string;
  /** What the owner of the VM allows. */
  readonly objective: Objective;
}

/** How the migrations of this VM are followed now. */
export type FollowingOf = (vm: VmFacts) => Following;

/** As the brain's configuration says of a VM of this name or UUID. */
export function followingOf(
  { mode, policy, rules }: Pick<BrainConfig, 'mode' | 'policy' | 'rules'>,
  { name, ref }: VmFacts,
): Following {
  const { objective, ...rule } = ruleFor(rules, [name, ref.uuid]);
  return { mode, policy, ...rule, objective: { ...defaultObjective, ...objective } };
}

/** The VM whose agent says that it is being moved by somebody else; undefined for other messages. */
export function foreignSource(fleet: Fleet, { body }: Telemetry): VmFacts | undefined {
  if (body.kind !== 'migration' || body.sample.ram === undefined) return undefined;
  // Its last words come again, until its QEMU is gone.
  if (isAtRest(body.sample.status)) return undefined;
  const { host, uuid, qemuPid } = body.ref;
  const vm = fleet.find(host, uuid);
  const isForeign = vm?.foreignArming !== undefined && vm.ref.qemuPid === qemuPid;
  return isForeign ? vm : undefined;
}

/** Where it leads, as far as some host has said that this VM is coming there. */
export function followedTo(fleet: Fleet, source: VmFacts): VmFacts | undefined {
  const arrival = fleet.arrivalOf(source.ref.uuid);
  if (arrival === undefined || arrival.host === source.ref.host) return undefined;
  return awaitedVm(source, arrival, fleet.hostSample(arrival.host));
}

/** The same, of a migration in hand, when this message is the first that tells. */
export function nowLedTo(
  fleet: Fleet,
  { source, destination }: Pick<Migration, 'source' | 'destination'>,
  { body }: Telemetry,
): VmFacts | undefined {
  const tells = body.kind === 'event' && body.name === incomingEvent;
  if (!tells || !source || destination || source.ref.uuid !== body.ref.uuid) return undefined;
  return followedTo(fleet, source);
}

/** What the brain knew when it saw the migration. */
export function followInputs(
  source: VmFacts,
  { mode, objective }: Following,
  { fleet, links }: { readonly fleet: Fleet; readonly links: LinkMemory },
  atMilliseconds: number,
): readonly Input[] {
  const destination = followedTo(fleet, source);
  const about = (side: Side, facts: VmFacts): readonly Input[] => {
    const host = fleet.hostSample(facts.ref.host);
    const attach: Input = { kind: 'attach', atMilliseconds, side, facts };
    return host ? [attach, { kind: 'host', atMilliseconds, side, host }] : [attach];
  };
  const link = links.estimate({
    source: source.ref.host,
    destination: (destination ?? source).ref.host,
    objective,
    hosts: {
      source: fleet.hostSample(source.ref.host),
      destination: destination && fleet.hostSample(destination.ref.host),
    },
  });
  return [
    ...about('source', source),
    ...(destination ? about('destination', destination) : []),
    { kind: 'link', atMilliseconds, link },
    { kind: 'order', atMilliseconds, order: { verb: 'follow', mode, objective } },
  ];
}
