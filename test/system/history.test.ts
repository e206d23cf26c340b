import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isExecutable, projectRoot, tools } from '../../scripts/tools.mjs';
import { silentLog } from '../../shared/log.ts';
import { createHistory } from '../../brain/history.ts';
import { queryInflux } from '../../brain/history/influx.ts';
import type { InfluxSettings } from '../../brain/history/influx.ts';
import { unescapeText } from '../../brain/history/line.ts';
import { measurements } from '../../brain/history/points.ts';
import { playRun } from '../brain/plausible-run.ts';
import { startInflux } from './influx.ts';
import { createStage } from './support.ts';

interface Query {
  readonly place: string;
  readonly statement: string;
}

/** Every InfluxQL statement of a dashboard, with its macros and variables filled in. */
async function dashboardQueries(): Promise<readonly Query[]> {
  const path = join(projectRoot, 'deploy/grafana/dashboards/migrations.json');
  const dashboard = JSON.parse(await readFile(path, 'utf8')) as {
    panels: { title: string; targets?: { query: string }[] }[];
    templating: { list: { name: string; type: string; query: string }[] };
    annotations: { list: { name: string; target: { query: string } }[] };
  };
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ query }) => ({ place: `panel ${title}`, query })),
    ),
    ...dashboard.templating.list
      .filter(({ type }) => type === 'query')
      .map(({ name, query }) => ({ place: `variable ${name}`, query })),
    ...dashboard.annotations.list.map(({ name, target }) => ({
      place: `annotation ${name}`,
      query: target.query,
    })),
  ];
  return queries.map(({ place, query }) => ({
    place,
    statement: query
      .replaceAll('$timeFilter', 'time > now() - 1h')
      .replaceAll('$__interval', '1s')
      .replaceAll('$migration', 'm1')
      .replaceAll('$host', '(h1|h2)'),
  }));
}

/** InfluxQL that 1.x, 2.x and 3.x all know. */
const functionsOfAll =
  /^(MEAN|MAX|MIN|LAST|FIRST|COUNT|SUM|PERCENTILE|DERIVATIVE|NON_NEGATIVE_DERIVATIVE|TIME|FILL|NOW)$/i;

describe('history in a real InfluxDB 1.x', function () {
  this.timeout(15_000);
  const stage = createStage();
  let settings: InfluxSettings;

  before(async function () {
    if (!isExecutable(tools().influxd)) this.skip();
    ({ settings } = await startInflux(stage));
    const history = createHistory({ influx: settings, brain: 'b1', log: silentLog });
    playRun(history.listener);
    await history.close();
    const { refusedLines, dropped, waitingLines } = history.counts();
    assert.deepEqual([refusedLines, dropped, waitingLines], [0, 0, 0]);
  });

  after(() => stage.clear());

  it('answers every panel, variable and annotation of the dashboard', async () => {
    const queries = await dashboardQueries();
    assert.ok(queries.length > 20);
    for (const { place, statement } of queries) {
      const series = await queryInflux(settings, statement);
      assert.ok(series.length > 0, `${place}: no series for ${statement}`);
      const figures = series.flatMap(({ values }) => values.flatMap((row) => row.slice(1)));
      assert.ok(
        figures.some((value) => value !== null),
        `${place}: only empty rows`,
      );
    }
  });

  it('keeps to the functions that all servers know', async () => {
    for (const { place, statement } of await dashboardQueries()) {
      for (const [, name] of statement.matchAll(/([A-Za-z_]+)\(/g)) {
        assert.match(name ?? '', functionsOfAll, place);
      }
    }
  });

  it('reads back what was written, reasons included', async () => {
    const statement = `SELECT "evidence", "outcome", "number", "predicted_total_seconds" FROM "${measurements.decision}"`;
    const [series] = await queryInflux(settings, statement);
    assert.equal(series?.values.length, 1);
    const [, evidence, ...others] = series.values[0] ?? [];
    assert.deepEqual(
      [unescapeText(String(evidence)), ...others],
      ['leakShare 0.8, with "quotes"\nand breaks\\ true', 'applied', 1, 9],
    );
  });

  it('shows each panel in a place of its own', async () => {
    const path = join(projectRoot, 'deploy/grafana/dashboards/migrations.json');
    const { panels } = JSON.parse(await readFile(path, 'utf8')) as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, cell) => `${String(x + (cell % w))}:${String(y + Math.floor(cell / w))}`,
      ),
    );
    assert.equal(new Set(cells).size, cells.length);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  });
});
