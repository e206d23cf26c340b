/** From "this VM to that host", as an operator says it, to an order that names two QEMUs and a port. */
import type { Endpoint } from '../../shared/command.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Migration } from '../core/migration.ts';
import { answersTo } from '../fleet.ts';
import type { HostView } from '../fleet.ts';
import { OrderError } from '../orders.ts';
import type { Preflight } from './preflight.ts';

/** A VM by name, UUID or monitor, wherever it runs. */
export interface Wish {
  readonly vm: string;
  readonly to: string;
  /** Needed only where several VMs have the name. */
  readonly from?: string | undefined;
  readonly sharedStorage?: boolean | undefined;
}

/** QEMUs in which no guest runs: one waits for its guest, the other has sent it away. */
const empty: ReadonlySet<string> = new Set(['inmigrate', 'postmigrate']);

/** The VM that answers to this name and runs. Throws OrderError: none, or more than one. */
export function runningVm(hosts: readonly HostView[], selector: string, from?: string): VmFacts {
  const all = hosts.flatMap(({ vms }) => vms).filter(({ runState }) => !empty.has(runState));
  const named = all.filter((vm) => answersTo(vm, selector));
  const found = named.filter(({ ref }) => from === undefined || ref.host === from);
  const [vm, ...others] = found;
  if (vm === undefined) {
    const where = from === undefined ? 'on any host' : `on host ${from}`;
    const names = all.map(({ name }) => name).slice(0, 20);
    const known = names.length === 0 ? 'no VM is known' : `there is ${names.join(', ')}`;
    throw new OrderError('UNKNOWN_VM', `no VM ${selector} runs ${where}; ${known}`);
  }
  // At the switchover a VM is in two QEMUs; it is where its guest runs.
  const isOne = others.every(({ ref }) => ref.uuid === vm.ref.uuid);
  if (isOne) return found.find(({ runState }) => runState === 'running') ?? vm;
  const places = found.map(({ ref }) => `${ref.uuid} on ${ref.host}`).join(', ');
  const remedy = 'name its UUID, or its host with --from';
  throw new OrderError('AMBIGUOUS_VM', `several VMs are called ${selector}: ${places}; ${remedy}`);
}

/** The host of this name. Throws OrderError that lists those known. */
export function hostNamed(hosts: readonly HostView[], name: string): HostView {
  const host = hosts.find((view) => view.host === name);
  if (host) return host;
  const known = hosts.map((view) => view.host).join(', ') || 'none';
  const message = `no agent of host ${name} was heard: start it, or name one that is (${known})`;
  throw new OrderError('UNKNOWN_HOST', message);
}

/** What the wish means now. Throws OrderError. */
export function journeyOf(hosts: readonly HostView[], wish: Wish): Preflight {
  const vm = runningVm(hosts, wish.vm, wish.from);
  const host = hostNamed(hosts, wish.to);
  const destination = host.vms.find(
    ({ ref, runState }) => ref.uuid === vm.ref.uuid && runState === 'inmigrate',
  );
  const { sharedStorage } = wish;
  return { vm, host, destination, sharedStorage };
}

/**
 * Where the stream goes: where the destination listens by itself, else the host's address and the
 * first of its ports after the last one given out, so that one that has just been used, and may
 * linger, is not used again at once. Ports that other sockets of the host have come last: QEMU can
 * listen on some of them.
 * Throws OrderError when migrations under way use them all.
 */
export function endpointFor(
  { host, facts }: HostView,
  { listeningPort }: Pick<VmFacts, 'listeningPort'>,
  migrations: readonly Migration[],
  lastPort = 0,
): Extract<Endpoint, { kind: 'tcp' }> {
  if (facts === undefined) {
    throw new OrderError('NO_DESTINATION', `host ${host} has not said where streams are to go`);
  }
  const { migrationAddress, firstMigrationPort: first, lastMigrationPort: last } = facts;
  const given = new Set(migrations.flatMap((migration) => portInUse(migration, host) ?? []));
  const occupied = new Set(facts.occupiedPorts);
  const range = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const inTurn = [
    ...range.filter((port) => port > lastPort),
    ...range.filter((port) => port <= lastPort),
  ];
  const free = inTurn.filter((port) => !given.has(port));
  const port = listeningPort ?? free.find((each) => !occupied.has(each)) ?? free[0];
  if (port !== undefined) return { kind: 'tcp', host: migrationAddress, port };
  const all = `${String(first)} to ${String(last)}`;
  throw new OrderError('NO_DESTINATION', `all migration ports of ${host} (${all}) are in use`);
}

function portInUse({ phase, order, destination }: Migration, host: string): number | undefined {
  if (phase === 'settled' || destination?.ref.host !== host) return undefined;
  return order?.endpoint?.kind === 'tcp' ? order.endpoint.port : undefined;
}
