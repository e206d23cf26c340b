import assert from 'node:assert/strict';
import { renderSummary } from '../../../cli/terminal/summary.ts';
import type { Style } from '../../../cli/terminal/style.ts';
import { renderMigration } from '../../../cli/terminal/view.ts';
import { completedResult, measuredRecord, migration, round, sample } from '../fixture.ts';

const wide: Style = { colour: false, unicode: true, columns: 80, rows: 40 };
const text = (lines: readonly string[]) => lines.join('\n');

describe('live view', () => {
  it('says who goes where, under which policy, for how long', () => {
    assert.match(
      renderMigration(migration(), wide)[0] ?? '',
      /redis-7 .*source → destination.*adaptive · plain · 6\.0 s$/,
    );
  });

  it('draws each round in proportion to its backlog', () => {
    const bars = renderMigration(migration(), wide).filter((line) => /^ +\d █/.test(line));
    const lengths = bars.map((line) => line.replace(/[^█]/g, '').length);
    assert.equal(lengths.length, 2);
    assert.ok(Math.abs((lengths[1] ?? 0) / (lengths[0] ?? 1) - 80 / 128) < 0.05, text(bars));
  });

  it('sets the dirty rate against the link', () => {
    const shown = text(renderMigration(migration(), wide));
    assert.match(shown, /dirty rate.*41\.0 MiB\/s/);
    assert.match(shown, /link.*32\.0 MiB\/s/);
  });

  it('counts down to the predicted end', () => {
    assert.match(text(renderMigration(migration(), wide)), /about 6\.2 s to go/);
  });

  it('tells the newest decision in full, with its reason', () => {
    const shown = text(renderMigration(migration(), wide)).replace(/\s+/g, ' ');
    assert.match(shown, /5\.0 s › Hold the guest back by 90 % through a CPU quota: .*leak 1\.42/);
    assert.match(shown, /210 ms downtime\.$/);
  });

  it('never exceeds the width nor the height of the terminal', () => {
    const rounds = Array.from({ length: 30 }, (_, index) => round(index + 1, 80, 80));
    for (const columns of [24, 40, 80, 200]) {
      for (const rows of [16, 24, 60]) {
        const lines = renderMigration(migration({ rounds }), { ...wide, columns, rows });
        assert.ok(lines.length < rows, `${String(lines.length)} lines in ${String(rows)} rows`);
        for (const line of lines) assert.ok(Array.from(line).length <= columns, line);
      }
    }
  });

  it('stays within ASCII, and without escapes, where nothing else can be shown', () => {
    const shown = text(renderMigration(migration(), { ...wide, unicode: false }));
    assert.match(shown, /^[\n\x20-\x7e]*$/);
  });

  it('paints only where colour is allowed', () => {
    const coloured = text(renderMigration(migration(), { ...wide, colour: true }));
    assert.ok(coloured.includes('\u001b[32m'));
    assert.ok(!text(renderMigration(migration(), wide)).includes('\u001b'));
  });

  it('lets no control character of a VM name through', () => {
    const { source } = migration();
    assert.ok(source);
    const named = migration({ source: { ...source, name: 'a\u001b[2Jb\nc' } });
    assert.ok(renderMigration(named, wide)[0]?.startsWith('a?[2Jb?c'));
  });

  it('shows a migration that has not begun', () => {
    const bare = migration({ phase: 'probing', rounds: [], attempts: [], decisions: [] });
    const { last: _, openRound: __, ...young } = bare;
    assert.match(text(renderMigration(young, wide)), /waiting · measuring how the guest writes/);
  });

  it('says that the dirty rate is unknown before the first sync', () => {
    const ram = { ...sample.ram, dirtyPagesPerSecond: 0 } as NonNullable<typeof sample.ram>;
    const shown = text(renderMigration(migration({ last: { ...sample, ram } }), wide));
    assert.match(shown, /dirty rate.*not known yet/);
  });
});

describe('summary', () => {
  it('is empty while the migration runs', () => {
    assert.deepEqual(renderSummary(migration(), wide), []);
  });

  it('gives time, downtime, cost, and why it converged', () => {
    const shown = text(renderSummary(migration({ result: completedResult }), wide));
    assert.match(shown, /completed · redis-7 moved in 7\.1 s, downtime 210 ms/);
    assert.match(shown, /150\.0 MiB sent · 4 rounds · throttled up to 90 %/);
    assert.match(shown, /› Hold the guest back by 90 %/);
  });

  it('compares what was predicted with what was measured', () => {
    const settled = migration({ result: completedResult, decisions: [measuredRecord] });
    const shown = text(renderSummary(settled, { ...wide, columns: 100 })).replace(/\n +/g, ' ');
    assert.match(shown, /predicted 8\.2 s, took 9\.1 s; downtime predicted 210 ms, was 190 ms/);
  });

  it('leaves out what was refused', () => {
    const [record] = migration().decisions;
    assert.ok(record);
    const decisions = [{ ...record, outcome: 'refused' as const }];
    const shown = text(renderSummary(migration({ result: completedResult, decisions }), wide));
    assert.doesNotMatch(shown, /Hold the guest back/);
  });

  it('says where the guest is after a failure, and why', () => {
    const result = {
      ...completedResult,
      outcome: 'failed',
      reason: 'the deadline passed',
    } as const;
    const shown = text(renderSummary(migration({ result }), wide));
    assert.match(shown, /failed · redis-7 still runs at the source · the deadline passed/);
  });
});
