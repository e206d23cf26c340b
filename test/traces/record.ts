/**
 * Records the golden traces anew, from real QEMU: `npx tsx test/traces/record.ts [kind...]`.
 * Needs root and a quiet machine; a trace replaces the old one only when it ended as it should.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bothVersions,
  build,
  createStage,
  familiesOf,
  linkBytesPerSecond,
} from '../system/support.ts';
import { writeGolden } from './golden.ts';
import { kinds, type Kind } from './kinds.ts';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in kinds));
if (unknown.length > 0) {
  console.error(`no such kind: ${unknown.join(', ')}; there are ${Object.keys(kinds).join(', ')}`);
  process.exit(2);
}

build();
const stage = createStage();
for (const [name, kind] of Object.entries(kinds)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const qemu of bothVersions) await record(`${name}-${qemu}`, qemu, kind);
}

async function record(
  name: string,
  qemu: (typeof bothVersions)[number],
  kind: Kind,
): Promise<void> {
  try {
    const pair = await stage.pair(kind.guest, { qemu, linkBytesPerSecond });
    const trace = join(stage.folder(), 'trace.jsonl');
    const command = ['--destination-command', pair.destinationCommand];
    const flags = [...kind.flags, ...(kind.restarts === true ? command : [])];
    const { code, result, lines } = await stage.migrate(pair, '--record', trace, ...flags);
    const family = familiesOf(lines).at(-1) ?? '';
    if (code !== 0 || !kind.family.test(family)) {
      console.error(`${name}: not kept, ended with ${code} in ${family}. ${result.reason ?? ''}`);
      process.exitCode = 1;
      return;
    }
    writeGolden(name, readFileSync(trace, 'utf8').trimEnd().split('\n'));
    console.log(`${name}: ${(result.totalMilliseconds / 1000).toFixed(1)} s`);
  } finally {
    await stage.clear();
  }
}
