import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import { silentLog } from '../../shared/log.ts';
import { createHistory } from '../../brain/history/history.ts';
import { lineSender, type InfluxSettings } from '../../brain/history/influx.ts';
import { retell, type Retold } from '../brain/retell.ts';
import { freePort } from './bus.ts';
import { build, createStage, until } from './support.ts';

/** A series of figures as VictoriaMetrics exports it. */
interface Exported {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

describe('history in a real VictoriaMetrics', function () {
  this.timeout(20_000);
  const stage = createStage();
  let settings: InfluxSettings;
  let retold: Retold;

  before(async function () {
    build();
    if (!isExecutable(tools().victoriaMetrics)) this.skip();
    settings = { flavor: 'v2', url: await startVictoriaMetrics(), database: 'ferryman' };
    const history = createHistory({ influx: settings, brain: 'b1', log: silentLog });
    const { listener } = history;
    retold = retell({ trace: 'random-cgroup-7.2', id: 'm1', vmName: 'web "1"', listener });
    await history.close();
    const { refusedLines, dropped, waitingLines } = history.counts();
    assert.deepEqual([refusedLines, dropped, waitingLines], [0, 0, 0]);
  });

  after(() => stage.clear());

  async function startVictoriaMetrics(): Promise<string> {
    const address = `127.0.0.1:${await freePort()}`;
    const flags = [
      `-httpListenAddr=${address}`,
      `-storageDataPath=${stage.folder()}`,
      // As docs/history.md has it.
      '-dedup.minScrapeInterval=1ms',
    ];
    const child = spawn(tools().victoriaMetrics, flags, { stdio: 'ignore' });
    stage.undo(() => void child.kill('SIGKILL'));
    const url = `http://${address}`;
    await until('VictoriaMetrics answers', () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return url;
  }

  /** One series, in order of time. */
  async function figures(name: string, labels = ''): Promise<readonly number[]> {
    await fetch(`${settings.url}/internal/force_flush`);
    const query = new URLSearchParams({ 'match[]': `${name}{${labels}}` }).toString();
    const response = await fetch(`${settings.url}/api/v1/export?${query}`);
    const lines = (await response.text()).split('\n').filter(Boolean);
    const series = lines.map((line) => JSON.parse(line) as Exported);
    assert.equal(series.length, 1, `${name}: ${series.length} series`);
    return series[0]?.values ?? [];
  }

  it('keeps the figures of every round, sample and result', async () => {
    const { migration, telemetry } = retold;
    const { rounds, result, source } = migration;
    const backlogs = await figures('ferryman_round_start_remaining_bytes', 'migration="m1"');
    assert.deepEqual(
      backlogs,
      rounds.map(({ startRemainingBytes }) => startRemainingBytes),
    );
    const [totalMilliseconds] = await figures('ferryman_result_total_milliseconds');
    assert.equal(totalMilliseconds, result?.totalMilliseconds);
    // Of two within one millisecond it keeps one.
    const remaining = new Map<number, number>();
    for (const { header, body } of telemetry) {
      if (body.kind !== 'migration' || header.host !== source?.ref.host || !body.sample.ram)
        continue;
      remaining.set(Math.floor(header.atMilliseconds), body.sample.ram.remainingBytes);
    }
    const kept = await figures('ferryman_sample_remaining_bytes');
    assert.deepEqual(kept, [...remaining.values()]);
  });

  it('keeps what is sent twice once, with the flag that docs/history.md names', async () => {
    const send = lineSender(settings);
    const line = `twice,host=h figure=1 ${Date.now() - 60_000}000000`;
    await send([line]);
    await send([line]);
    assert.deepEqual(await figures('twice_figure'), [1]);
  });

  it('says why `history` and `report` cannot be read back from it', async () => {
    for (const command of [['history'], ['report', 'm1']]) {
      const flags = ['--influx', settings.url, '--influx-flavor', 'v2'];
      const asked = stage.ferryman(...command, ...flags);
      assert.equal(await asked.code, 3);
      assert.match(asked.messages(), /takes figures, but does not answer InfluxQL/);
    }
  });
});
