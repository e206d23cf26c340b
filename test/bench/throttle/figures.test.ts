import assert from 'node:assert/strict';
import { compare, guestFigures, medianWindow, quantile, workShare } from './figures.ts';
import type { Row } from './figures.ts';
import { throttleTable } from './table.ts';

function row(fields: Partial<Row>): Row {
  return {
    guest: 'busy',
    mechanism: 'cgroup',
    workUnitsPerSecond: 20,
    longestGapMilliseconds: 20,
    p99GapMilliseconds: 18,
    vcpuCores: 0.2,
    monitor: { medianMilliseconds: 1, p99Milliseconds: 2, longestMilliseconds: 3 },
    diskBytesPerSecond: 0,
    ...fields,
  };
}

const free = row({ mechanism: 'none', workUnitsPerSecond: 100, longestGapMilliseconds: 0 });
const qemu = row({ mechanism: 'qemu', longestGapMilliseconds: 45 });

describe('throttle bench figures', () => {
  it('takes the quantile that so many values do not exceed', () => {
    assert.equal(quantile([3, 1, 2], 1), 3);
    assert.equal(quantile([3, 1, 2], 0.5), 2);
    assert.equal(quantile([], 0.99), 0);
  });

  it('counts the gaps that lie within the window', () => {
    const seen = {
      timesMilliseconds: [0, 1000, 2000],
      work: [0, 100, 300],
      pages: [0, 0, 0],
      gaps: [990, 1100, 1990].map((startMilliseconds) => ({
        startMilliseconds,
        durationMilliseconds: startMilliseconds / 50,
      })),
    };
    const { workUnitsPerSecond, longestGapMilliseconds } = guestFigures(seen, 1000, 2000);
    assert.equal(workUnitsPerSecond, 200);
    assert.equal(longestGapMilliseconds, 22);
  });

  it('is not moved by one disturbed window', () => {
    const windows = [20, 90, 22].map((longestGapMilliseconds) => row({ longestGapMilliseconds }));
    assert.equal(medianWindow(windows).longestGapMilliseconds, 22);
  });

  it('compares with the quota of the shortest gap at the same work', () => {
    const best = row({ periodMicroseconds: 5000, longestGapMilliseconds: 18 });
    const rows = [
      free,
      qemu,
      row({ periodMicroseconds: 10_000, longestGapMilliseconds: 25 }),
      best,
      row({ workUnitsPerSecond: 10, longestGapMilliseconds: 9 }),
      row({ workUnitsPerSecond: 40, longestGapMilliseconds: 9 }),
      row({ isProduct: true, longestGapMilliseconds: 9 }),
      row({ guest: 'other', longestGapMilliseconds: 9 }),
    ];
    assert.deepEqual(compare(rows), [{ guest: 'busy', qemu, best, gapRatio: 2.5 }]);
    assert.equal(workShare(best, rows), 0.2);
    assert.match(throttleTable(rows), /45\.0 against 18\.0 ms with cgroup 5\.0 ms, 2\.50 times/);
  });

  it('compares nothing where no quota leaves the same work', () => {
    assert.deepEqual(compare([free, qemu, row({ workUnitsPerSecond: 5 })]), []);
  });
});
