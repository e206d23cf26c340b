/** What the simulated agents announce. */
import type { Family, HostSample, LiveSetting, VmFacts } from '../../shared/sample.ts';
import type { Side } from '../../brain/core/decision.ts';
import type { QemuVersion } from './surroundings.ts';
import type { Scenario } from './simulation.ts';
import { pageBytes } from './workload.ts';

/** Facts that a test may set otherwise than the version and the scenario say. */
export type FactOverrides = Partial<
  Pick<VmFacts, 'throttles' | 'canProbe' | 'canStartDestination' | 'families' | 'postCopyFamilies'>
>;

const families: Record<QemuVersion, readonly Family[]> = {
  '7.2': ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd', 'compress'],
  '10.0': ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd'],
};

const liveSettings: readonly LiveSetting[] = [
  'downtime-limit',
  'max-bandwidth',
  'max-postcopy-bandwidth',
  'throttle',
];

const freeMemoryBytes = 4 * 2 ** 30;

/** The facts of one side; `life` tells destinations apart that were started one after the other. */
export function factsOf(
  side: Side,
  scenario: Scenario,
  overrides: FactOverrides,
  life = 1,
): VmFacts {
  const { workload, version } = scenario;
  const source = side === 'source';
  return {
    ref: { host: side, agentBoot: 'boot', qemuPid: (source ? 1000 : 2000) + life, uuid: 'guest' },
    name: workload.name,
    monitor: `/run/${side}.sock`,
    qemuVersion: version === '7.2' ? '7.2.22' : '10.0.2',
    runState: source ? 'running' : 'inmigrate',
    migrationStatus: 'none',
    ramBytes: workload.ramBytes,
    pageBytes,
    vcpus: 1,
    families: families[version],
    postCopyFamilies: ['plain', 'xbzrle'],
    liveSettings:
      version === '7.2' ? liveSettings : [...liveSettings, 'avail-switchover-bandwidth'],
    throttles: [
      { mechanism: 'qemu', lag: 'next-sync', perVcpu: false },
      { mechanism: 'cgroup', lag: 'immediate', perVcpu: true },
    ],
    canProbe: source,
    canStartDestination: !source,
    timerSync: version === '10.0',
    idleCpuCores: scenario.idleCpuCores ?? 2,
    freeMemoryBytes,
    ...overrides,
  };
}

export function hostOf(scenario: Scenario): HostSample {
  const idleCpuCores = scenario.idleCpuCores ?? 2;
  const cpuCores = idleCpuCores + scenario.workload.vcpuBusyShare;
  return {
    cpuCores,
    cpuBusyShare: scenario.workload.vcpuBusyShare / cpuCores,
    cpuStealShare: 0,
    idleCpuCores,
    totalMemoryBytes: 2 * freeMemoryBytes,
    freeMemoryBytes,
    nics: [],
  };
}
