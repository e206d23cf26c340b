/** What the agent announces of a VM, put together from what it learned at attach and what is true now. */
import { basename } from 'node:path';
import type { Arming } from '../shared/command.ts';
import type { HostSample, QemuRef, ThrottleFacts, VmFacts } from '../shared/sample.ts';
import type { HostPolicy } from './policy-file.ts';
import { factsOf } from './qemu/facts.ts';
import type { Inspection } from './qemu/inspect.ts';
import { isIdle } from './qemu/status.ts';
import { versionText } from './qemu/version.ts';
import { cgroupFacts } from './throttle/cgroup.ts';

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
}

/** QEMU's throttle acts at a bitmap sync and on all vCPUs alike. */
const qemuThrottle: ThrottleFacts = { mechanism: 'qemu', lag: 'next-sync', perVcpu: false };

/** The facts of one VM. */
export function vmFacts(sources: FactSources): VmFacts {
  const { ref, inspection, runState, migrationStatus, policy, host, foreignArming } = sources;
  const qemu = factsOf({ ...inspection, migrationStatus });
  const hasQemuThrottle = qemu.liveSettings.includes('throttle');
  return {
    ref,
    name: inspection.name ?? basename(sources.monitor),
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
  };
}
