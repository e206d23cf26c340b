/**
 * The workload probe: what a migration of this VM will meet, learned from the host within two
 * seconds and before anything starts, without the guest's help.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { systemClock } from '../../shared/clock.ts';
import type { ProbeReport } from '../../shared/sample.ts';
import { measureDirtyRate } from '../collectors/dirty-rate.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { type GuestMemory, GuestMemoryError, openGuestMemory } from './guest-memory.ts';
import { probeMemory, type ProbeTime } from './memory-probe.ts';

export interface ProbeOptions extends Partial<ProbeTime> {
  readonly pid: number;
  readonly ramBytes: number;
  /** All the time it may take: 1600 by default, never less than 150 nor more than 2000. */
  readonly budgetMilliseconds?: number;
  /** Asked for its own estimate when the guest's RAM cannot be read. */
  readonly monitor?: Monitor;
}

const systemTime: ProbeTime = {
  sleep: (milliseconds) => sleepFor(milliseconds),
  clock: systemClock,
};

/** Throws GuestMemoryError when RAM cannot be read and there is no monitor to ask instead. */
export async function probeWorkload(options: ProbeOptions): Promise<ProbeReport> {
  const time = { ...systemTime, ...options };
  let memory: GuestMemory | undefined;
  try {
    memory = openGuestMemory(options.pid, options.ramBytes);
    return await probeMemory(memory, time, options.budgetMilliseconds);
  } catch (error) {
    if (!(error instanceof GuestMemoryError) || options.monitor === undefined) throw error;
    return await probeByDirtyRate(options.monitor, options.ramBytes, time);
  } finally {
    memory?.close();
  }
}

/** QEMU's own dirty rate: one window of a second, and nothing about content. */
export async function probeByDirtyRate(
  monitor: Monitor,
  ramBytes: number,
  { sleep, clock }: ProbeTime = systemTime,
): Promise<ProbeReport> {
  const startedAt = clock.monotonicMilliseconds();
  const rate = await measureDirtyRate(monitor, ramBytes, sleep);
  const { windowMilliseconds } = rate;
  const dirtyBytes = Math.min(ramBytes, (rate.dirtyBytesPerSecond * windowMilliseconds) / 1000);
  return {
    source: 'calc-dirty-rate',
    tookMilliseconds: clock.monotonicMilliseconds() - startedAt,
    ramBytes,
    sampledPages: Math.round((rate.samplePagesPerGibibyte * ramBytes) / 2 ** 30),
    // Unknown: that no page is empty is the cautious assumption.
    zeroShare: 0,
    dirtyCurve: [{ windowMilliseconds, dirtyBytes }],
  };
}
