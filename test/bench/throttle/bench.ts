/** `npm run bench -- throttle`: QEMU's throttle against CPU quotas of several periods. */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import { chosen } from '../policies/flags.ts';
import { compare, type Row, type Window } from './figures.ts';
import { throttleGuests, type ThrottleGuest } from './guests.ts';
import { openSubject, type Subject } from './subject.ts';
import { leastGapRatio, throttleTable } from './table.ts';

const throttlePercent = 80;
/** The shortest that the kernel takes comes first: at a fifth of a CPU that is 5 ms. */
const periodsMilliseconds = '5,8,10,20,50,100';
const trialMilliseconds = 700;
const settleMilliseconds = 300;
const versions: readonly QemuVersion[] = ['7.2', '10.0'];

/** Prints a Markdown table; exit code 1 when a gap is not as much shorter as it should be. */
export async function benchThrottle(_ferryman: string, words: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      qemu: { ...text, default: '7.2' },
      guests: text,
      periods: { ...text, default: periodsMilliseconds },
      seconds: { ...text, default: '3' },
      json: text,
    },
  });
  const names = throttleGuests.map(({ name }) => name);
  const wanted = chosen('--guests', values.guests, names);
  const [qemu = '7.2'] = chosen('--qemu', values.qemu, versions);
  const periods = values.periods.split(',').map((each) => 1000 * Number(each));
  const record = { date: new Date().toISOString().slice(0, 10), kernel: os.release(), qemu };
  const rows: Row[] = [];
  for (const entry of throttleGuests.filter(({ name }) => wanted.includes(name))) {
    process.stderr.write(`QEMU ${qemu}, ${entry.name}: ${entry.about}\n`);
    rows.push(...(await measureGuest(qemu, entry, periods, 1000 * Number(values.seconds))));
    const whole = { ...record, throttlePercent, rows, comparisons: compare(rows) };
    // After each guest: what was measured is kept when the next one fails.
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify(whole, undefined, 1)}\n`);
    }
  }
  process.stdout.write(`${throttleTable(rows)}\n`);
  return compare(rows).every(({ gapRatio }) => gapRatio >= leastGapRatio) ? 0 : 1;
}

async function measureGuest(
  qemu: QemuVersion,
  { name, guest }: ThrottleGuest,
  periodsMicroseconds: readonly number[],
  milliseconds: number,
): Promise<Row[]> {
  const subject = await openSubject(qemu, guest);
  try {
    const free = await subject.measure(milliseconds);
    await subject.throttleByQemu(throttlePercent);
    await sleep(settleMilliseconds);
    const slept = await subject.measure(milliseconds);
    await subject.throttleByQemu(1);
    const quotas: Row[] = [];
    for (const periodMicroseconds of periodsMicroseconds) {
      const window = await matched(subject, periodMicroseconds, slept, milliseconds);
      quotas.push({ guest: name, mechanism: 'cgroup', periodMicroseconds, ...window });
    }
    const product = await asTheAgent(subject, milliseconds);
    return [
      { guest: name, mechanism: 'none', ...free },
      { guest: name, mechanism: 'qemu', ...slept },
      ...quotas,
      { guest: name, mechanism: 'cgroup', isProduct: true, ...product },
    ];
  } finally {
    await subject.stop();
  }
}

/** A quota that leaves the guest the work that QEMU's throttle left it. */
async function matched(
  subject: Subject,
  periodMicroseconds: number,
  { workUnitsPerSecond }: Window,
  milliseconds: number,
): Promise<Window> {
  let share = 1 - throttlePercent / 100;
  subject.throttleByQuota(share, periodMicroseconds);
  await sleep(settleMilliseconds);
  const trial = await subject.measure(trialMilliseconds);
  share = Math.min(1, (share * workUnitsPerSecond) / trial.workUnitsPerSecond);
  subject.throttleByQuota(share, periodMicroseconds);
  await sleep(settleMilliseconds);
  const window = await subject.measure(milliseconds);
  subject.throttleByQuota(undefined);
  return window;
}

async function asTheAgent({ product, measure }: Subject, milliseconds: number): Promise<Window> {
  product.set(throttlePercent);
  await sleep(settleMilliseconds);
  const window = await measure(milliseconds);
  product.release();
  return window;
}
