/** `npm run bench -- outages`: InfluxDB for a minute and NATS for 20 s, each amid a migration on real QEMU. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import { loseInflux, loseNats, slowGuest, squeezedGuest } from '../../system/outage-scenarios.ts';
import type { OutageReport } from '../../system/outage-scenarios.ts';
import { createStage, type Stage } from '../../system/support.ts';
import { chosen } from '../policies/flags.ts';
import { misses, outageTable, type OutageRow } from './table.ts';

type Scenario = (stage: Stage, qemu: QemuVersion) => Promise<OutageReport>;

/** Another outage is one more line. */
const scenarios: Readonly<Record<string, Scenario>> = {
  'influx-60s': (stage, qemu) => loseInflux(stage, { ...slowGuest, qemu }, 60),
  'nats-20s': (stage, qemu) => loseNats(stage, { ...squeezedGuest, qemu }, 20),
  'nats-frozen-20s': (stage, qemu) => loseNats(stage, { ...squeezedGuest, qemu }, 20, true),
};
const versions: readonly QemuVersion[] = ['7.2', '10.0'];

/** Prints a Markdown table; exit code 1 when a promise was not kept. */
export async function benchOutages(_ferryman: string, words: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: { qemu: { ...text, default: '7.2' }, outages: text, runs: text, json: text },
  });
  const [qemu = '7.2'] = chosen('--qemu', values.qemu, versions);
  const rows: OutageRow[] = [];
  for (const outage of chosen('--outages', values.outages, Object.keys(scenarios))) {
    for (let run = 1; run <= Number(values.runs ?? 1); run += 1) {
      process.stderr.write(`QEMU ${qemu}, ${outage}, run ${String(run)}\n`);
      rows.push({ outage, qemu, ...(await measure(outage, qemu)) });
    }
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows)}\n`);
  }
  process.stdout.write(`${outageTable(rows)}\n`);
  return misses(rows).length === 0 ? 0 : 1;
}

async function measure(outage: string, qemu: QemuVersion): Promise<OutageReport> {
  const stage = createStage();
  try {
    const scenario = scenarios[outage];
    if (scenario === undefined) throw new RangeError(`there is no outage ${outage}`);
    return await scenario(stage, qemu);
  } finally {
    await stage.clear();
  }
}
