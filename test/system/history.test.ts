import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import type { VmFacts } from '../../shared/sample.ts';
import { silentLog } from '../../shared/log.ts';
import { createHistory } from '../../brain/history/history.ts';
import type { DecisionRecord } from '../../brain/core/migration.ts';
import { openArchive } from '../../brain/history/archive.ts';
import { reportHealth } from '../../brain/history/health.ts';
import { queryInflux } from '../../brain/history/influx.ts';
import type { InfluxSettings } from '../../brain/history/influx.ts';
import { retell, type Retold } from '../brain/retell.ts';
import { dashboards, queriesOf } from '../deploy/dashboards.ts';
import { startInflux } from './influx.ts';
import { build, createStage } from './support.ts';

/** Every character that a shell, a database, a page or a terminal takes for something else. */
const hostile = `"'\\\\ \n\r\t<b>&amp; $(x) \`y\` %n größe 日本 \u{1f980} \u2028`;
const names = {
  m1: 'web-1',
  m2: hostile,
  m3: `${hostile}\0`.padEnd(4096 - Buffer.byteLength(hostile) + hostile.length, 'n'),
};

const brain = 'b1';

/** An agent as the brain sees it. */
const heard = {
  host: 'source',
  agentBoot: 'boot-1',
  silentMilliseconds: 20,
  lostMessages: 1,
  staleMessages: 2,
  vms: [],
};

describe('history in a real InfluxDB 1.x', function () {
  this.timeout(15_000);
  const stage = createStage();
  const retold = new Map<string, Retold>();
  let settings: InfluxSettings;

  before(async function () {
    if (!isExecutable(tools().influxd)) this.skip();
    ({ settings } = await startInflux(stage));
    const history = createHistory({ influx: settings, brain, log: silentLog });
    const stopHealth = reportHealth({
      history,
      brain: { migrations: () => [], hosts: () => [heard] },
      id: brain,
      periodMilliseconds: 600,
    });
    for (const [index, [id, vmName]] of Object.entries(names).entries()) {
      const trace = ['ladder-7.2', 'random-cgroup-7.2', 'text-10.0'][index] ?? '';
      retold.set(id, retell({ trace, id, vmName, listener: history.listener }));
    }
    await sleep(1_300);
    stopHealth();
    await history.close();
    const { refusedLines, dropped, waitingLines } = history.counts();
    assert.deepEqual([refusedLines, dropped, waitingLines], [0, 0, 0]);
  });

  after(() => stage.clear());

  for (const dashboard of dashboards) {
    it(`answers every panel, variable and mark of ${dashboard.uid}`, async () => {
      const queries = queriesOf(dashboard, {
        migration: 'm2',
        host: '(source|destination)',
        brain,
      });
      assert.ok(queries.length > 5);
      for (const { place, statement } of queries) {
        const series = await queryInflux(settings, statement);
        const figures = series.flatMap(({ values }) => values.flatMap((row) => row.slice(1)));
        assert.ok(
          figures.some((value) => value !== null),
          `${place}: nothing for ${statement}`,
        );
      }
    });
  }

  it('gives every migration back as the core left it, whatever its VM is called', async () => {
    const archive = openArchive(settings);
    for (const [id, { migration, telemetry }] of retold) {
      const { rounds, decisions, result, source, destination, probe, link } = migration;
      const past = await archive.find(id);
      const { migration: read } = past ?? assert.fail(`${id} is not there`);
      assert.deepEqual(
        plain([read.rounds, read.decisions, read.result, read.source, read.destination]),
        plain([rounds, known(decisions), result, kept(source), kept(destination)]),
      );
      assert.deepEqual(plain([read.probe, read.link]), plain([probe, link]));
      const samples = telemetry.filter(
        ({ header, body }) => body.kind === 'migration' && header.host === source?.ref.host,
      );
      assert.equal(past?.samples.length, samples.length);
    }
    assert.equal(await archive.find("'); DROP"), undefined);
    const listed = await archive.settledSince(Date.now() - 60_000);
    assert.deepEqual(
      new Map(listed.map(({ id, source }) => [id, source?.name])),
      new Map(Object.entries(names)),
    );
    assert.deepEqual(await archive.settledSince(Date.now() + 60_000), []);
  });

  it('is told by `ferryman history` and `ferryman report` with the same figures', async () => {
    build();
    const ferryman = async (...words: readonly string[]) => {
      const run = stage.ferryman(...words, '--influx', settings.url);
      assert.equal(await run.code, 0, run.messages());
      return run;
    };
    const listed = await ferryman('history', hostile, '--json');
    const told = await ferryman('report', 'm2', '--json');
    const { type, ...result } = told.lines.at(-1) ?? {};
    assert.deepEqual([type, result], ['result', plain(retold.get('m2')?.migration.result)]);
    assert.equal(listed.lines.length, 1);
    const [line] = listed.lines;
    assert.deepEqual({ ...line, ...result }, line);
    assert.deepEqual([line?.['id'], line?.['vm']], ['m2', hostile]);
    assert.equal((await ferryman('history', '--json')).lines.length, 3);
    const page = join(stage.folder(), 'report.html');
    await ferryman('report', 'm2', '--html', page);
    const html = await readFile(page, 'utf8');
    assert.equal(html.match(/<polyline/g)?.length, 4);
    assert.doesNotMatch(html, /<script|<link|<img|src=|href=|url\(|<b>|\p{Cc}(?<!\n)/u);
    const unknown = stage.ferryman('report', 'm9', '--influx', settings.url);
    assert.equal(await unknown.code, 3);
    const nowhere = stage.ferryman('history', '--influx', 'http://127.0.0.1:1');
    assert.equal(await nowhere.code, 3);
  });
});

/** As JSON carries it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** What was measured is kept of decisions that had promised something. */
function known(decisions: readonly DecisionRecord[]): readonly DecisionRecord[] {
  return decisions.map(({ measured, ...record }) =>
    record.decision.prediction && measured ? { ...record, measured } : record,
  );
}

/** A VM may have more disks than a field has room for: they are left out. */
function kept(facts: VmFacts | undefined): Omit<VmFacts, 'storage'> | undefined {
  if (!facts) return undefined;
  const { storage: _, ...others } = facts;
  return others;
}
