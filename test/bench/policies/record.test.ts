import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cellOf, failedCell, recordOf } from './fixture.ts';
import { benchFlags } from './flags.ts';
import { grid, secondRuns, withoutAgain } from './grid.ts';
import { missingFrom, openRecord, saveRecord } from './record.ts';

const { cells: _, format: _format, ...head } = recordOf([]);

describe('bench/record', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-record-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('comes back as it was saved, and nothing lies beside it', () => {
    const path = join(folder, 'record.json');
    const record = recordOf([cellOf(), failedCell({ policy: 'none' })]);
    saveRecord(path, record);
    assert.deepEqual(openRecord(path, { ...head, date: 'another day' }), record);
    assert.deepEqual(readdirSync(folder), ['record.json']);
  });

  it('refuses to grow a file that is something else', () => {
    const path = join(folder, 'package.json');
    writeFileSync(path, '{"name":"other"}');
    assert.throws(() => openRecord(path, head), /name another file with --json/);
  });

  it('begins empty, with all cells missing, and misses those no more that were measured', () => {
    const flags = benchFlags('--workloads random --policies adaptive,none --link 32M'.split(' '));
    const wanted = grid(flags);
    assert.equal(wanted.length, 6);
    assert.deepEqual(missingFrom(openRecord(join(folder, 'new'), head), wanted), wanted);
    const partly = recordOf([cellOf(), cellOf({ run: 2 }), failedCell({ policy: 'none' })]);
    assert.deepEqual(
      missingFrom(partly, wanted).map(({ policy, run }) => `${policy} ${run}`),
      ['adaptive 3', 'none 2', 'none 3'],
    );
  });
});

describe('bench/grid', () => {
  it('has no policy that this QEMU lacks', () => {
    const names = grid(benchFlags(['--qemu', '10.0'])).map(({ policy }) => policy);
    assert.ok(!names.includes('compress') && names.includes('multifd-zstd'));
  });

  it('measures the best static choice as often as adaptive, and no other again', () => {
    const record = recordOf([
      cellOf({ costSeconds: 3 }),
      cellOf({ policy: 'post-copy', costSeconds: 4 }),
      cellOf({ policy: 'qemu-80', costSeconds: 9 }),
      cellOf({ policy: 'xbzrle-64', costSeconds: 5 }),
    ]);
    const again = secondRuns(record, benchFlags([]));
    assert.deepEqual(
      again.map(({ policy, run }) => `${policy} ${run}`),
      ['xbzrle-64 2', 'xbzrle-64 3'],
    );
    assert.deepEqual(secondRuns(record, benchFlags(['--workloads', 'idle'])), []);
  });
});

describe('bench/grid: --again', () => {
  it('forgets what was measured of a policy in the scenes that are asked for, and no more', () => {
    const cells = [cellOf(), cellOf({ workload: 'idle' }), failedCell({ policy: 'none' })];
    const flags = benchFlags('--workloads random --link 32M --again adaptive'.split(' '));
    assert.deepEqual(withoutAgain(recordOf(cells), flags).cells, cells.slice(1));
    const elsewhere = benchFlags('--workloads random --link 64M --again adaptive'.split(' '));
    assert.deepEqual(withoutAgain(recordOf(cells), elsewhere).cells, cells);
  });
});

describe('bench/flags', () => {
  it('name what there is when asked for what there is not', () => {
    assert.throws(() => benchFlags(['--workloads', 'idle,ideal']), /no ideal; there are idle,/);
    assert.throws(() => benchFlags(['--qemu', '6.0']), /no 6\.0; there are 7\.2, 10\.0/);
    assert.throws(() => benchFlags(['--runs', 'many']), /--runs: many/);
    assert.throws(() => benchFlags(['--link', 'fast']), /not a bandwidth/);
  });
});
