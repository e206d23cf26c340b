/**
 * What is looked at before a VM is sent on its way: everything that would let the migration fail, or
 * the guest lose its disks, and that can be known beforehand. Pure.
 */
import type { HostFacts } from '../../shared/host-facts.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { HostView } from '../fleet.ts';

/** `refuse` stands in the way; `caution` is for the operator to know. */
export interface Finding {
  readonly severity: 'refuse' | 'caution';
  readonly check: 'vm' | 'host' | 'destination' | 'memory' | 'machine' | 'storage';
  /** One sentence, with the remedy. */
  readonly message: string;
}

export interface Preflight {
  readonly vm: VmFacts;
  readonly host: HostView;
  /** A QEMU that waits there; absent when one has to be started. */
  readonly destination?: VmFacts | undefined;
  /** The operator's word that local files are the same on both hosts. */
  readonly sharedStorage?: boolean | undefined;
}

/** An agent speaks at least once a second. */
export const silentAfterMilliseconds = 5_000;

/** Nothing to say means ready to go. */
export function preflight(question: Preflight): readonly Finding[] {
  return [
    ...vmFindings(question),
    ...emulationFindings(question),
    ...hostFindings(question),
    ...memoryFindings(question),
    ...machineFindings(question),
    ...storageFindings(question),
  ];
}

/** The first that stands in the way. */
export function obstacle(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ severity }) => severity === 'refuse');
}

const refuse = (check: Finding['check'], message: string): Finding => ({
  severity: 'refuse',
  check,
  message,
});
const caution = (check: Finding['check'], message: string): Finding => ({
  severity: 'caution',
  check,
  message,
});

const resting: ReadonlySet<string> = new Set(['none', 'completed', 'failed', 'cancelled']);

/** Whether QEMU's word on its migration means that none is under way. */
export function isAtRest(status: string): boolean {
  return resting.has(status);
}

/** What the owner of this VM should know of its QEMU, with the remedy; undefined where nothing is. */
export function emulationProblem(vm: VmFacts): string | undefined {
  if (vm.forgetsDirtyPages !== true) return undefined;
  return (
    `QEMU ${vm.qemuVersion} without KVM forgets dirty pages of a guest with several vCPUs: ` +
    `${vm.name} may hang after any migration; use KVM, QEMU 10.0, or one vCPU`
  );
}

function emulationFindings({ vm }: Preflight): readonly Finding[] {
  const problem = emulationProblem(vm);
  return problem === undefined ? [] : [caution('vm', problem)];
}

function vmFindings({ vm, host }: Preflight): readonly Finding[] {
  const { name, ref, migrationStatus } = vm;
  if (ref.host === host.host) {
    return [refuse('vm', `VM ${name} runs on ${host.host} already; name another host`)];
  }
  if (isAtRest(migrationStatus)) return [];
  const remedy = 'wait for it, or cancel it where it was started';
  return [refuse('vm', `VM ${name} is in a migration (${migrationStatus}); ${remedy}`)];
}

function hostFindings({ vm, host, destination }: Preflight): readonly Finding[] {
  const { host: name, facts, silentMilliseconds } = host;
  if (silentMilliseconds > silentAfterMilliseconds) {
    const seconds = (silentMilliseconds / 1000).toFixed(0);
    return [refuse('host', `the agent of ${name} has been silent for ${seconds} s; start it`)];
  }
  if (facts?.mode === 'observe') {
    return [refuse('host', `the host policy of ${name} says mode: observe; no command passes`)];
  }
  if (vm.owner === 'libvirt') return facts?.libvirt ? [] : [noLibvirt(name)];
  return destination || facts?.canStartDestination === true ? [] : [noDestination(name, facts)];
}

function noLibvirt(host: string): Finding {
  const remedy = `set libvirtUri in its host policy, e.g. qemu+tls://${host}/system`;
  const message = `it is not known how the libvirt of ${host} is reached: ${remedy}`;
  return refuse('destination', message);
}

function noDestination(host: string, facts: HostFacts | undefined): Finding {
  const remedy =
    'set destinationCommand in its host policy (docs/first-steps.md shows one), ' +
    'or start a QEMU there with the same -uuid and -incoming defer';
  const why = facts ? 'its policy has no command to start one' : 'its agent has not said so';
  return refuse('destination', `no QEMU waits on ${host} for this VM, and ${why}: ${remedy}`);
}

function memoryFindings({ vm, host, destination }: Preflight): readonly Finding[] {
  const freeBytes = host.sample?.freeMemoryBytes;
  if (freeBytes === undefined || freeBytes >= vm.ramBytes) return [];
  const figures = `${gibibytes(freeBytes)} are free on ${host.host}, the VM has ${gibibytes(vm.ramBytes)}`;
  // One that waits may have its memory already, out of huge pages for instance.
  return [
    destination ? caution('memory', figures) : refuse('memory', `too little memory: ${figures}`),
  ];
}

const gibibytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

/** What QEMU itself would find out when the stream arrives. */
function machineFindings({ vm, destination, host }: Preflight): readonly Finding[] {
  if (destination === undefined) return [];
  const findings: Finding[] = [];
  const [here, there] = [vm.machineType, destination.machineType];
  if (here !== undefined && there !== undefined && here !== there) {
    const message = `the machine type is ${here}, the destination has ${there}; start it with the same`;
    findings.push(refuse('machine', message));
  }
  if (vm.ramBytes !== destination.ramBytes) {
    const sizes = `${gibibytes(vm.ramBytes)} of RAM, the destination ${gibibytes(destination.ramBytes)}`;
    findings.push(refuse('machine', `the VM has ${sizes}; start it with the same -m`));
  }
  if (!vm.families.some((family) => destination.families.includes(family))) {
    findings.push(refuse('machine', 'the two QEMUs have no way of migrating in common'));
  }
  if (isOlder(destination.qemuVersion, vm.qemuVersion)) {
    const versions = `${destination.qemuVersion} on ${host.host} is older than ${vm.qemuVersion}`;
    findings.push(
      caution('machine', `QEMU ${versions}: going back is not what QEMU is tested for`),
    );
  }
  return findings;
}

/** By major and minor version. */
function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function storageFindings({ vm, sharedStorage }: Preflight): readonly Finding[] {
  if (sharedStorage === true) return [];
  const disks = vm.storage?.disks ?? [];
  return disks.flatMap(({ device, location, storage }): readonly Finding[] => {
    switch (storage) {
      case 'shared':
        return [];
      case 'local': {
        const remedy =
          'only memory is migrated: put it on shared storage, or say --shared-storage if it is the same file there';
        return [
          refuse('storage', `disk ${device} is a file of this host (${location}); ${remedy}`),
        ];
      }
      case 'unknown':
        return [
          caution('storage', `disk ${device} (${location}) has to be the same on both hosts`),
        ];
    }
  });
}
