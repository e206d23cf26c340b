/**
 * The portable host probe, and the oracle for the fast one. It starts processes for every sample, so
 * it costs about twenty times as much: `networkStats('*')` and `networkInterfaces()` even block, and
 * are never called. Only the parts it needs are loaded, for an agent holds them as long as it runs.
 */
import { currentLoad } from 'systeminformation/lib/cpu.js';
import { mem } from 'systeminformation/lib/memory.js';
import { networkStats } from 'systeminformation/lib/network.js';
import type { HostSample, NicSample } from '../../shared/sample.ts';
import type { HostProbe } from './collector.ts';

/** Observes processors, memory and the default network interface. */
export function createSystemInformationProbe(): HostProbe {
  return { name: 'systeminformation', collectHost };
}

async function collectHost(): Promise<HostSample> {
  const [load, memory, nics] = await Promise.all([currentLoad(), mem(), networkStats()]);
  const cpuCores = load.cpus.length;
  return {
    cpuCores,
    cpuBusyShare: toShare(load.currentLoad),
    cpuStealShare: toShare(load.currentLoadSteal),
    idleCpuCores: cpuCores * toShare(load.currentLoadIdle),
    totalMemoryBytes: memory.total,
    freeMemoryBytes: memory.available,
    nics: nics.map(toNicSample),
  };
}

/** Its percentages may be past 100 by rounding, and not a number on platforms without the figure. */
function toShare(percent: number): number {
  return Math.min(1, Math.max(0, percent / 100 || 0));
}

/** Rates are null, or -1, until there is a call before to compare with. */
function toNicSample(nic: {
  readonly iface: string;
  readonly rx_sec: number | null;
  readonly tx_sec: number | null;
}): NicSample {
  return {
    name: nic.iface,
    receivedBytesPerSecond: Math.max(0, nic.rx_sec ?? 0),
    sentBytesPerSecond: Math.max(0, nic.tx_sec ?? 0),
  };
}
