import assert from 'node:assert/strict';
import { cellOf, failedCell, recordOf } from './fixture.ts';
import { renderPage } from './page.ts';
import { tableOf, verdictLines } from './table.ts';
import { verdictsOf } from './verdicts.ts';

const record = recordOf([
  cellOf(),
  cellOf({ run: 2, costSeconds: 8.5, isDisturbed: true }),
  failedCell({ policy: 'none' }),
  cellOf({ policy: 'cgroup-80', costSeconds: 12, maxThrottlePercent: 80 }),
  failedCell({ workload: 'sweep' }),
  failedCell({ workload: 'sweep', policy: 'none', guestWorkLostSeconds: -0.1 }),
  cellOf({ qemu: '10.0', linkBytesPerSecond: 250 * 2 ** 20, policy: 'none' }),
]);
const records = { full: record, empty: recordOf([]) };

for (const [name, each] of Object.entries(records)) {
  describe(`bench/report of a record that is ${name}`, () => {
    it('has no figure that is none', () => {
      const broken = /NaN|undefined|Infinity|\[object/;
      assert.doesNotMatch(renderPage(each), broken);
      assert.doesNotMatch([tableOf(each), ...verdictLines(verdictsOf(each))].join('\n'), broken);
    });

    it('is a page that needs nothing beside it', () => {
      const page = renderPage(each);
      assert.doesNotMatch(
        page.replaceAll('http://www.w3.org/2000/svg', ''),
        /https?:|src=|@import/,
      );
      assert.ok(page.includes('prefers-color-scheme: dark') && page.includes('Some &lt;CPU>'));
    });
  });
}

describe('bench/table', () => {
  const rows = tableOf(record).split('\n');

  it('has medians, marks what was disturbed and what failed, and names the best static', () => {
    const random = rows.find((row) => row.startsWith('| random'));
    assert.match(random ?? '', /\| ~8\.0; 5\.0 \/ 0\.50 \/ 250 \/ 256 \|/);
    assert.match(random ?? '', /\| FAIL; 45\.0 /);
    assert.match(random ?? '', /\[80 %\] \| cgroup-80 \(12\.0\) \|$/);
  });

  it('is one per QEMU and link, each row as wide as its head', () => {
    assert.deepEqual(
      rows.filter((row) => row.startsWith('## ')),
      ['## QEMU 7.2, 32 MiB/s', '## QEMU 10.0, 250 MiB/s'],
    );
    const widths = rows.filter((row) => row.startsWith('|')).map((row) => row.split('|').length);
    assert.deepEqual([...new Set(widths.slice(0, 4))].length, 1);
  });
});

describe('bench/page', () => {
  const page = renderPage(record);

  it('frames the least J of a row and marks what did not complete', () => {
    assert.equal(page.match(/class="heat best"/g)?.length, 2);
    assert.equal(page.match(/class="heat failed"/g)?.length, 3);
  });

  it('sets adaptive beside the best static choice', () => {
    assert.match(page, /best static: cgroup-80 12\.0/);
    assert.match(page, /<td>cgroup-80<\/td><td class="figure">8\.00<\/td>.*12\.00.*0\.67/);
  });
});
