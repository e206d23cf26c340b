import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { findGuestRam, parseMappings } from '../../agent/workload/ram-mapping.ts';
import { openReportPage } from './report-page.ts';

/** The size of a mapping of this process that may be taken for the RAM of a guest. */
function ramBytesIn(pid: number): number {
  const mappings = parseMappings(readFileSync(`/proc/${pid}/maps`, 'utf8'));
  const sizes = mappings.map(({ lengthBytes }) => lengthBytes).sort((a, b) => b - a);
  const found = sizes.find((size) => findGuestRam(mappings, size).length === 1);
  assert.ok(found !== undefined);
  return found;
}

describe('the report of a guest', () => {
  it('says that the process has ended, so that its successor is looked for', async () => {
    const child = spawn(process.execPath, ['-e', 'console.log(); setInterval(() => {}, 1000)']);
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const page = openReportPage(pid, ramBytesIn(pid));
    assert.equal(page.read(), undefined);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.throws(() => page.read(), /ended/);
    page.close();
  });
});
