/** What an operator may order of the brain, and how an order is turned down. */
import type { Endpoint } from '../shared/command.ts';
import { FerrymanError } from '../shared/errors.ts';
import type { Objective } from '../shared/objective.ts';
import type { VmFacts } from '../shared/sample.ts';
import { awaitedVm } from './migrations/awaited.ts';
import type { Side } from './core/decision.ts';
import type { Fleet } from './fleet.ts';
import { samePlace } from './migrations/routing.ts';
import type { Sides } from './migrations/routing.ts';

/** Names a VM on a host by its name, its UUID or its monitor's path. */
export interface VmSelector {
  readonly host: string;
  readonly selector: string;
}

export interface MigrationOrder {
  /** Letters, digits, `-` and `_`; made up when absent. */
  readonly id?: string | undefined;
  readonly policy: string;
  readonly source: VmSelector;
  /** A QEMU that waits for the migration, or the domain that a libvirt will make. */
  readonly destination: VmSelector;
  readonly endpoint: Endpoint;
  readonly objective: Objective;
}

export type OrderErrorCode =
  | 'UNKNOWN_POLICY'
  | 'UNKNOWN_VM'
  | 'UNKNOWN_MIGRATION'
  | 'ID_TAKEN'
  | 'VM_BUSY'
  | 'SAME_VM'
  | 'UUID_MISMATCH'
  | 'UNKNOWN_HOST'
  | 'AMBIGUOUS_VM'
  | 'NO_DESTINATION'
  | 'PREFLIGHT'
  | 'VM_HELD'
  | 'MODE';

/** An order that was not taken; nothing was sent to anybody. */
export class OrderError extends FerrymanError {
  declare readonly code: OrderErrorCode;

  constructor(code: OrderErrorCode, message: string) {
    super(code, message);
  }
}

/** The VM an order names. Throws OrderError that lists what there is instead. */
export function vmOf(fleet: Fleet, { host, selector }: VmSelector): VmFacts {
  const facts = fleet.find(host, selector);
  if (facts) return facts;
  const known = fleet.hosts().find((view) => view.host === host);
  const remedy = known
    ? `it has ${known.vms.map((vm) => vm.name).join(', ') || 'none'}`
    : 'no agent of that host was heard; is it running, and on this bus?';
  throw new OrderError('UNKNOWN_VM', `no VM ${selector} on host ${host}: ${remedy}`);
}

/** Both VMs of an order; a libvirt makes its destination when the guest comes. Throws OrderError. */
export function vmsOf(
  fleet: Fleet,
  { source, destination, endpoint }: MigrationOrder,
): Readonly<Record<Side, VmFacts>> {
  const vm = vmOf(fleet, source);
  if (endpoint.kind !== 'libvirt') return { source: vm, destination: vmOf(fleet, destination) };
  const { host, selector: monitor } = destination;
  const agentBoot = fleet.hosts().find((view) => view.host === host)?.agentBoot;
  if (agentBoot === undefined) {
    throw new OrderError('UNKNOWN_HOST', `no agent of host ${host} was heard`);
  }
  const awaited = awaitedVm(vm, { host, agentBoot, monitor }, fleet.hostSample(host));
  // After an abort it makes another one.
  return { source: vm, destination: { ...awaited, canStartDestination: true } };
}

/** Source and destination are two QEMUs of one VM. Throws OrderError. */
export function checkOneVm(vms: Readonly<Record<Side, VmFacts>>, sides: Required<Sides>): void {
  if (samePlace(sides.source, sides.destination)) {
    const message = `source and destination are one QEMU, ${sides.source.monitor}`;
    throw new OrderError('SAME_VM', message);
  }
  const [source, destination] = [vms.source.ref.uuid, vms.destination.ref.uuid];
  if (source === destination) return;
  const message = `the source is VM ${source}, the destination waits as ${destination}; start it with the source's -uuid`;
  throw new OrderError('UUID_MISMATCH', message);
}

/** How an order for a held VM is turned down. */
export function heldError({ name }: VmFacts, reason: string): OrderError {
  const message = `VM ${name} is held (${reason}); "ferryman release ${name}" lets it go`;
  return new OrderError('VM_HELD', message);
}
