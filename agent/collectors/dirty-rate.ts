/**
 * Dirty rate as QEMU itself estimates it (calc-dirty-rate). Needs no right to read the guest's RAM,
 * but knows one window only, in whole MiB/s.
 */
import type { Monitor } from '../monitor/monitor.ts';
import { mebibytesPerSecondToBytesPerSecond } from '../qemu/units.ts';
import { amountField, asFields, countField, stringField } from './fields.ts';

export interface DirtyRate {
  readonly dirtyBytesPerSecond: number;
  readonly windowMilliseconds: number;
  readonly samplePagesPerGibibyte: number;
}

const bytesPerGibibyte = 2 ** 30;
/** Pages wanted of the whole RAM: QEMU's default of 512 per GiB is off by half on a small VM. */
const wantedPages = 4096;
/** QEMU's default and its maximum per GiB. */
const leastPagesPerGibibyte = 512;
const mostPagesPerGibibyte = 16_384;
/** QEMU before 8.2 counts whole seconds only. */
const windowSeconds = 1;
const pollMilliseconds = 50;
/** A busy host may finish late, but preparing a migration may take two seconds in all. */
const patienceMilliseconds = 900;

/** Parses the reply of query-dirty-rate; undefined while it measures or when it cannot say. */
export function parseDirtyRate(reply: unknown): DirtyRate | undefined {
  const fields = asFields(reply) ?? {};
  const rate = amountField(fields, 'dirty-rate');
  if (stringField(fields, 'status') !== 'measured' || rate === undefined) return undefined;
  const window = amountField(fields, 'calc-time') ?? windowSeconds;
  const isInMilliseconds = stringField(fields, 'calc-time-unit') === 'millisecond';
  return {
    dirtyBytesPerSecond: mebibytesPerSecondToBytesPerSecond(rate),
    windowMilliseconds: isInMilliseconds ? window : window * 1000,
    samplePagesPerGibibyte: countField(fields, 'sample-pages') ?? 0,
  };
}

/** `sample-pages` (per GiB) that samples a few thousand pages whatever the size of the VM. */
export function samplePagesPerGibibyte(ramBytes: number): number {
  const wanted = Math.ceil((wantedPages * bytesPerGibibyte) / ramBytes);
  return Math.min(mostPagesPerGibibyte, Math.max(leastPagesPerGibibyte, wanted));
}

/**
 * Measures for one second. Only page sampling is ever asked for: the mode dirty-bitmap crashes
 * QEMU 7.2 under TCG. For use before a migration, which then has the dirty log to itself.
 * Throws what the monitor throws, and when QEMU gives no figure in time.
 */
export async function measureDirtyRate(
  monitor: Monitor,
  ramBytes: number,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<DirtyRate> {
  await monitor.execute('calc-dirty-rate', {
    'calc-time': windowSeconds,
    'sample-pages': samplePagesPerGibibyte(ramBytes),
    mode: 'page-sampling',
  });
  await sleep(windowSeconds * 1000);
  for (let waited = 0; waited < patienceMilliseconds; waited += pollMilliseconds) {
    const rate = parseDirtyRate(await monitor.execute('query-dirty-rate'));
    if (rate !== undefined) return rate;
    await sleep(pollMilliseconds);
  }
  throw new Error(
    `${monitor.address}: calc-dirty-rate gave no figure within ` +
      `${String(windowSeconds * 1000 + patienceMilliseconds)} ms; ` +
      'migrate without a probe, or let the agent read /proc/PID/mem (CAP_SYS_PTRACE)',
  );
}
