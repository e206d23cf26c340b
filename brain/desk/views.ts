/** What the desk tells: hosts, VMs and migrations as operators see them. */
import type { HostFacts } from '../../shared/host-facts.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Mode } from '../../shared/config/vms.ts';
import type { Migration, MigrationResult, Phase } from '../core/migration.ts';
import { answersTo } from '../fleet.ts';
import type { HostView } from '../fleet.ts';
import { OrderError } from '../orders.ts';
import type { Brain } from '../service.ts';

export interface VmView {
  readonly vm: string;
  readonly uuid: string;
  readonly host: string;
  readonly qemuVersion: string;
  /** QEMU's word: running, paused, inmigrate (waits for its guest), postmigrate (has sent it away). */
  readonly runState: string;
  readonly ramBytes: number;
  readonly vcpus: number;
  readonly mode: Mode;
  /** Why it is not touched; absent when it is not held. */
  readonly held?: string;
  /** The migration under way. */
  readonly migration?: string;
}

export interface MigrationView {
  readonly id: string;
  readonly vm: string;
  readonly uuid: string;
  readonly source: string;
  readonly destination: string;
  readonly policy: string;
  readonly phase: Phase;
  /** Unix time of the order, and for how long it has been under way or was. */
  readonly orderedAtMilliseconds: number;
  readonly elapsedMilliseconds: number;
  readonly remainingBytes?: number;
  readonly throttlePercent?: number;
  readonly result?: MigrationResult;
}

export interface HostSummary {
  readonly host: string;
  readonly silentMilliseconds: number;
  readonly lostMessages: number;
  readonly vms: number;
  readonly freeMemoryBytes?: number;
  readonly facts?: HostFacts;
}

export interface FleetView {
  readonly hosts: readonly HostSummary[];
  readonly vms: readonly VmView[];
  /** Oldest first. */
  readonly migrations: readonly MigrationView[];
}

type Seen = Pick<Brain, 'hosts' | 'migrations' | 'held'>;

/** All that a brain knows of now. */
export function fleetView(brain: Seen, modeOf: (vm: VmFacts) => Mode): FleetView {
  const migrations = brain.migrations();
  const held = brain.held();
  const hosts = sortedBy(brain.hosts(), ({ host }) => host);
  const vms = hosts.flatMap((host) => sortedBy(host.vms, ({ name }) => name));
  return {
    hosts: hosts.map(hostSummary),
    vms: vms.map((vm) => vmView(vm, modeOf(vm), held.get(vm.ref.uuid), migrations)),
    migrations: migrations.map(migrationView),
  };
}

/** Agents come in any order; who looks twice wants to find things where they were. */
function sortedBy<T>(items: readonly T[], name: (item: T) => string): readonly T[] {
  return [...items].sort((one, other) => name(one).localeCompare(name(other), 'en'));
}

function hostSummary({ vms, sample, ...host }: HostView): HostSummary {
  const { host: name, silentMilliseconds, lostMessages, facts } = host;
  return {
    host: name,
    silentMilliseconds: Math.round(silentMilliseconds),
    lostMessages,
    vms: vms.length,
    ...(sample && { freeMemoryBytes: sample.freeMemoryBytes }),
    ...(facts && { facts }),
  };
}

function vmView(
  { ref, name, qemuVersion, runState, ramBytes, vcpus }: VmFacts,
  mode: Mode,
  held: string | undefined,
  migrations: readonly Migration[],
): VmView {
  const migration = migrations.find(
    ({ phase, source }) => phase !== 'settled' && source?.ref.uuid === ref.uuid,
  );
  return {
    vm: name,
    ...{ uuid: ref.uuid, host: ref.host, qemuVersion, runState, ramBytes, vcpus, mode },
    ...(held !== undefined && { held }),
    ...(migration && { migration: migration.id }),
  };
}

function migrationView(migration: Migration): MigrationView {
  const { id, policy, phase, source, destination, result, nowMilliseconds } = migration;
  const orderedAtMilliseconds = migration.orderedAtMilliseconds ?? nowMilliseconds;
  return {
    id,
    vm: source?.name ?? '',
    uuid: source?.ref.uuid ?? '',
    source: source?.ref.host ?? '',
    destination: destination?.ref.host ?? '',
    policy,
    phase,
    orderedAtMilliseconds,
    elapsedMilliseconds: Math.round(nowMilliseconds - orderedAtMilliseconds),
    ...(phase === 'settled' ? {} : progressOf(migration)),
    ...(result && { result }),
  };
}

function progressOf({
  last,
}: Migration): Pick<MigrationView, 'remainingBytes' | 'throttlePercent'> {
  return {
    ...(last?.ram && { remainingBytes: last.ram.remainingBytes }),
    ...(last && { throttlePercent: last.throttlePercent }),
  };
}

/** By its id, else the latest of a VM by name or UUID. Throws OrderError that says what there is. */
export function migrationNamed(migrations: readonly Migration[], name: string): Migration {
  const found =
    migrations.find(({ id }) => id === name) ??
    migrations.findLast(({ source }) => source && answersTo(source, name));
  if (found) return found;
  const known = migrations.slice(-5).map(({ id, source }) => `${id} (${source?.name ?? '?'})`);
  const list = known.length === 0 ? 'none since it started' : known.join(', ');
  const message = `no migration ${name} is known to the brain; it knows ${list}`;
  throw new OrderError('UNKNOWN_MIGRATION', message);
}
