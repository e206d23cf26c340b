/** Destinations that nobody can ask yet, because a libvirt makes them when their guest comes. */
import type { HostSample, VmFacts } from '../../shared/sample.ts';
import type { Arrival } from '../fleet.ts';

/** What a libvirt will have made there: a QEMU like the source's, under the same UUID. */
export function awaitedVm(
  source: VmFacts,
  { host, agentBoot, monitor }: Arrival,
  sample: HostSample | undefined,
): VmFacts {
  const { foreignArming: _, ...same } = source;
  return {
    ...same,
    ref: { host, agentBoot, qemuPid: 0, uuid: source.ref.uuid },
    monitor,
    runState: 'inmigrate',
    migrationStatus: 'none',
    canStartDestination: false,
    ...(sample && {
      idleCpuCores: sample.idleCpuCores,
      freeMemoryBytes: sample.freeMemoryBytes,
    }),
  };
}
