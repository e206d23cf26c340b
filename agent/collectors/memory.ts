/** Memory of the host, from /proc/meminfo. */
import type { HostSample } from '../../shared/sample.ts';
import { type HostCollector, type HostSource, readRequiredKernelFile } from './collector.ts';

/** Parses /proc/meminfo. Free means available: what a new process gets without swapping. */
export function parseMemory(
  text: string,
): Pick<HostSample, 'totalMemoryBytes' | 'freeMemoryBytes'> {
  return {
    totalMemoryBytes: readField(text, 'MemTotal'),
    freeMemoryBytes: readField(text, 'MemAvailable'),
  };
}

/** The kernel prints kibibytes and calls them kB. */
function readField(text: string, name: string): number {
  const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/meminfo has no line "${name}"`);
  return Number(kibibytes) * 1024;
}

/** Watches how much memory the host has, and has left. */
export function createMemoryCollector({ procRoot }: HostSource): HostCollector {
  return {
    name: 'memory',
    collect: () => parseMemory(readRequiredKernelFile(`${procRoot}/meminfo`)),
  };
}
