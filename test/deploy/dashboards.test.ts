import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkCommon, QueryError } from '../../brain/history/influxql.ts';
import { measurements } from '../../brain/history/points.ts';
import { projectRoot } from '../../scripts/tools.mjs';
import { dashboards, queriesOf } from './dashboards.ts';

/** The statement with something in it that not all of the three servers answer. */
function spoil(statement: string): readonly string[] {
  const source = statement.replace(/FROM "(\w+)"/, 'FROM "ferryman"."autogen"."$1"');
  const nested = statement.replace(/FROM "\w+"/, (from) => `FROM (SELECT * ${from})`);
  const called = statement.replace(/^(SELECT|SHOW)\b/, 'SELECT integral("a"), ');
  const bare = statement.replace(/"(\w+)"/, '$1');
  const ends = [' SLIMIT 1', " tz('UTC')", '; DROP MEASUREMENT "m"', ' INTO "n"'];
  return [source, nested, called, bare, ...ends.map((end) => statement + end)];
}

const chosen = { migration: 'm', host: '(a|b)', brain: 'b' };

describe('dashboards', () => {
  it('are what their code makes', () => {
    const script = join(projectRoot, 'deploy/grafana/build.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check']);
    assert.equal(status, 0, stderr.toString());
    assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, 4);
  });

  for (const dashboard of dashboards) {
    it(`${dashboard.uid} asks in InfluxQL that all servers answer, of what is written`, () => {
      const known = new Set<string>(Object.values(measurements));
      for (const { place, statement } of queriesOf(dashboard, chosen)) {
        checkCommon(statement);
        assert.doesNotMatch(statement, /\$\w/, place);
        const [, measurement = ''] = /FROM "([^"]+)"/.exec(statement) ?? [];
        assert.ok(known.has(measurement), `${place}: ${measurement}`);
      }
    });

    it(`${dashboard.uid} could not ask for anything else unnoticed`, () => {
      for (const { place, statement } of queriesOf(dashboard, chosen)) {
        for (const spoilt of spoil(statement)) {
          assert.notEqual(spoilt, statement, place);
          assert.throws(() => {
            checkCommon(spoilt);
          }, QueryError);
        }
      }
    });

    it(`${dashboard.uid} shows each panel in a place of its own, of the chosen data source`, () => {
      const { panels } = dashboard;
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}:${y + Math.floor(cell / w)}`),
      );
      assert.equal(new Set(cells).size, cells.length);
      assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24));
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      const sources = JSON.stringify(dashboard).match(/"datasource":\{[^}]*\}[^,]*/g) ?? [];
      assert.ok(sources.length > panels.length);
      assert.ok(sources.every((source) => source.includes('"uid":"${ds}"')));
    });
  }
});
