/** What this host offers to migrations, and what its agent would need to do all that it can. */
import { networkInterfaces } from 'node:os';
import type { HostFacts, Lack, Privileges } from '../../shared/host-facts.ts';
import type { ThrottleFacts, VmFacts } from '../../shared/sample.ts';
import type { HostPolicy } from './policy-file.ts';
import { occupiedPorts } from './ports.ts';
import { ownPrivileges } from './privileges.ts';
import type { GroupLayout } from '../throttle/groups.ts';
import { canReadGuestMemory } from '../workload/guest-memory.ts';

export interface HostFactSources {
  readonly policy: HostPolicy;
  /** Absent where no quota can be set. */
  readonly layout: GroupLayout | undefined;
  /** The VMs attached now. */
  readonly vms: readonly Pick<VmFacts, 'ref' | 'throttles'>[];
}

/** The facts as they are now; rights are tried out, not inferred, wherever there is a VM. */
export function hostFacts({ policy, layout, vms }: HostFactSources): HostFacts {
  const privileges = ownPrivileges();
  return {
    mode: policy.mode,
    migrationAddress: policy.migrationAddress ?? ownAddress(),
    firstMigrationPort: policy.migrationPorts.first,
    lastMigrationPort: policy.migrationPorts.last,
    occupiedPorts: occupiedPorts(policy.migrationPorts),
    canStartDestination: policy.destinationCommand !== undefined,
    lacks: [...probeLack(policy, vms, privileges), ...cgroupLack(layout, vms)],
    ...(policy.libvirtUri && { libvirt: policy.libvirtUri }),
    privileges,
  };
}

/** Calls of the result share what `make` made, until it was asked this often or `of` has changed. */
export function rarely<T>(make: () => T, calls: number, of: () => number): () => T {
  let made: { readonly value: T; readonly of: number; left: number } | undefined;
  return () => {
    const isGood = made !== undefined && made.left > 0 && made.of === of();
    if (made === undefined || !isGood) made = { value: make(), of: of(), left: calls };
    made.left -= 1;
    return made.value;
  };
}

/** Where there is no guest to try it out on, the capability tells. */
function probeLack(
  policy: HostPolicy,
  vms: HostFactSources['vms'],
  { capabilities }: Privileges,
): readonly Lack[] {
  if (!policy.probe) return [{ right: 'probe', reason: 'the host policy says probe: false' }];
  const processes = processesOf(vms);
  const remedy =
    'give the agent CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (docs/installing.md), or run it as the user of QEMU';
  if (processes.length === 0 && !capabilities.includes('CAP_SYS_PTRACE')) {
    return [{ right: 'probe', reason: `no guest of another user could be read: ${remedy}` }];
  }
  const unreadable = processes.filter((pid) => !canReadGuestMemory(pid));
  if (unreadable.length === 0) return [];
  const reason = `the memory of process ${unreadable.join(', ')} cannot be read: ${remedy}`;
  return [{ right: 'probe', reason }];
}

function cgroupLack(layout: GroupLayout | undefined, vms: HostFactSources['vms']): readonly Lack[] {
  if (layout === undefined) {
    const remedy =
      'under cgroup v2 name a delegated subtree in the host policy (cgroupDelegation); under v1 mount the cpu controller';
    return [{ right: 'cgroup', reason: `no CPU quota can be set here: ${remedy}` }];
  }
  const without = processesOf(vms.filter(({ throttles }) => !throttles.some(isQuota)));
  if (without.length === 0) return [];
  const remedy =
    'the agent may make no group below theirs; run it with CAP_DAC_OVERRIDE (docs/installing.md) or delegate their slice';
  return [
    { right: 'cgroup', reason: `process ${without.join(', ')} can be given no quota: ${remedy}` },
  ];
}

const isQuota = ({ mechanism }: ThrottleFacts) => mechanism === 'cgroup';

/** Those whose process the agent can see at all. */
function processesOf(vms: readonly Pick<VmFacts, 'ref'>[]): readonly number[] {
  return vms.map(({ ref }) => ref.qemuPid).filter((pid) => pid > 0);
}

/** A name would do, but on many hosts the own name means the loopback. */
function ownAddress(): string {
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return outward?.address ?? '127.0.0.1';
}
