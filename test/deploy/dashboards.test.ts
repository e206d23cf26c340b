import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkCommon } from '../../brain/history/influxql.ts';
import { measurements } from '../../brain/history/points.ts';
import { projectRoot } from '../../scripts/tools.mjs';
import { dashboards, queriesOf } from './dashboards.ts';

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
