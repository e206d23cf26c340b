/** The list of host collectors, and the host probe that runs them. To add a collector, add a line. */
import type { HostSample } from '../../shared/sample.ts';
import {
  type CreateHostCollector,
  type HostCollector,
  type HostProbe,
  type HostSource,
  systemSource,
} from './collector.ts';
import { createCpuCollector } from './cpu.ts';
import { createMemoryCollector } from './memory.ts';
import { createNicCollector } from './nic.ts';
import { createPressureCollector } from './pressure.ts';
import { createSystemInformationProbe } from './system-information.ts';

export const hostCollectors: readonly CreateHostCollector[] = [
  createCpuCollector,
  createMemoryCollector,
  createNicCollector,
  createPressureCollector,
];

/** Told, for every sample, about a collector that failed; the sample goes out without its part. */
export type OnCollectorFailure = (name: string, error: unknown) => void;

/** The fast path on Linux: reads /proc and /sys, under a millisecond per sample. */
export function createProcHostProbe(
  onFailure: OnCollectorFailure,
  source: HostSource = systemSource,
): HostProbe {
  const collectors = hostCollectors.map((create) => create(source));
  return {
    name: 'proc',
    collectHost: () =>
      new Promise((resolve) => {
        resolve(runCollectors(collectors, onFailure));
      }),
  };
}

function runCollectors(
  collectors: readonly HostCollector[],
  onFailure: OnCollectorFailure,
): HostSample {
  const sample: Partial<HostSample> = { nics: [] };
  for (const collector of collectors) {
    try {
      Object.assign(sample, collector.collect());
    } catch (error) {
      onFailure(collector.name, error);
    }
  }
  if (!hasProcessorsAndMemory(sample)) {
    throw new Error('the host cannot be observed: neither processors nor memory may be missing');
  }
  return sample;
}

function hasProcessorsAndMemory(sample: Partial<HostSample>): sample is HostSample {
  return sample.cpuCores !== undefined && sample.freeMemoryBytes !== undefined;
}

/** The fast path where there is a /proc, else the portable one. */
export function openHostProbe(onFailure: OnCollectorFailure): HostProbe {
  try {
    return createProcHostProbe(onFailure);
  } catch (error) {
    onFailure('proc', error);
    return createSystemInformationProbe();
  }
}
