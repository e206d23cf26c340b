/** What the agent announces of a VM, put together from what it learned at attach and what is true now. */
import { basename } from 'node:path';
import type { Arming } from '../../shared/command.ts';
import type { Family, HostSample, QemuRef, ThrottleFacts, VmFacts } from '../../shared/sample.ts';
import type { Owner } from '../monitor/monitor.ts';
import type { HostPolicy } from '../host/policy-file.ts';
import { factsOf, forgetsDirtyPages, type QemuFacts } from '../qemu/facts.ts';
import type { Inspection } from '../qemu/inspect.ts';
import { isIdle } from '../qemu/status.ts';
import { versionText } from '../qemu/version.ts';
import { cgroupFacts } from '../throttle/cgroup.ts';

/** What facts are made of; `runState` and `migrationStatus` as last seen. */
export interface FactSources {
  readonly ref: QemuRef;
  readonly monitor: string;
  readonly inspection: Inspection;
  readonly runState: string;
  readonly migrationStatus: string;
  readonly hasCgroupThrottle: boolean;
  readonly policy: HostPolicy;
  readonly host: HostSample;
  readonly foreignArming?: Arming;
  readonly owner?: Owner;
}

/** QEMU's throttle acts at a bitmap sync and on all vCPUs alike. */
const qemuThrottle: ThrottleFacts = { mechanism: 'qemu', lag: 'next-sync', perVcpu: false };

/** More than anybody reads, and room for it in every message. */
const longestName = 4096;

/** What the owner calls it, whatever that is; without a name it is known by its monitor. */
function nameOf(name: string | undefined, monitor: string): string {
  // Half a character at the end would not be text.
  const told = Buffer.from(name?.slice(0, longestName) ?? '').toString();
  return told === '' ? basename(monitor) : told;
}

/** The facts of one VM. */
export function vmFacts(sources: FactSources): VmFacts {
  const { ref, inspection, runState, migrationStatus, policy, host, foreignArming, owner } =
    sources;
  const qemu = withinReach(factsOf({ ...inspection, migrationStatus }), owner);
  const hasQemuThrottle = qemu.liveSettings.includes('throttle');
  return {
    ref,
    name: nameOf(inspection.name, sources.monitor),
    monitor: sources.monitor,
    qemuVersion: versionText(inspection.version),
    runState,
    migrationStatus,
    ramBytes: inspection.ramBytes,
    pageBytes: inspection.pageBytes,
    vcpus: inspection.vcpuThreadIds.length,
    ...qemu,
    throttles: [
      ...(hasQemuThrottle ? [qemuThrottle] : []),
      ...(sources.hasCgroupThrottle ? [cgroupFacts] : []),
    ],
    canProbe: policy.probe,
    canStartDestination: policy.destinationCommand !== undefined,
    idleCpuCores: host.idleCpuCores,
    freeMemoryBytes: host.freeMemoryBytes,
    ...(inspection.machineType !== undefined && { machineType: inspection.machineType }),
    ...(inspection.storage && { storage: inspection.storage }),
    ...(foreignArming && !isIdle(migrationStatus) && { foreignArming }),
    ...(forgetsDirtyPages(inspection) && { forgetsDirtyPages: true }),
    ...(inspection.listeningPort !== undefined && { listeningPort: inspection.listeningPort }),
    ...(owner && { owner: owner.name }),
  };
}

/** What QEMU can do and its owner cannot ask it for is out of reach. */
function withinReach(facts: QemuFacts, owner: Owner | undefined): QemuFacts {
  const isOffered = (family: Family): boolean => owner?.families.includes(family) ?? true;
  return {
    ...facts,
    families: facts.families.filter(isOffered),
    postCopyFamilies: facts.postCopyFamilies.filter(isOffered),
  };
}
