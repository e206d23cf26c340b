/** The stream of history on a real nats-server and InfluxDB, without a migration. */
import assert from 'node:assert/strict';
import { openHistory, type History } from '../../brain/history/history.ts';
import { queryInflux } from '../../brain/history/influx.ts';
import { measurements } from '../../brain/history/points.ts';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import { encodeTelemetry } from '../../shared/codec.ts';
import { silentLog } from '../../shared/log.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import { buildSubject } from '../../shared/subjects.ts';
import type { Telemetry } from '../../shared/telemetry.ts';
import { retell, type Retold } from '../brain/retell.ts';
import { startBus, type RestartableBus } from './bus.ts';
import { startInflux, type RestartableInflux } from './influx.ts';
import { createStage, until } from './support.ts';

const stage = createStage();

describe('the stream of history', () => {
  before(function () {
    if (!isExecutable(tools().natsServer) || !isExecutable(tools().influxd)) this.skip();
  });
  afterEach(() => stage.clear());

  const open = async (
    { settings }: RestartableInflux,
    { url }: RestartableBus,
    limits?: Parameters<typeof openHistory>[2],
  ) => {
    const history = await openHistory(
      { influx: settings, brain: 'b1', log: silentLog },
      { url, name: 'history' },
      limits,
    );
    stage.undo(() => history.close());
    return history;
  };
  const tellOf = ({ listener }: History) =>
    retell({ trace: 'text-10.0', id: 'm1', vmName: 'web-1', listener });
  const count = async ({ settings }: RestartableInflux, field: string, measurement: string) => {
    const [series] = await queryInflux(settings, `SELECT count("${field}") FROM "${measurement}"`);
    return Number(series?.values[0]?.[1] ?? 0);
  };
  const samplesIn = ({ telemetry }: Retold) =>
    telemetry.filter(({ body }) => body.kind === 'migration').length;

  async function publishTwice({ url }: RestartableBus, telemetry: readonly Telemetry[]) {
    const bus = await natsBus({ url, name: 'agent' });
    stage.undo(() => bus.close());
    for (const kind of ['migration', 'replay']) {
      for (const message of telemetry) {
        const subject = buildSubject({ channel: 'tel', host: message.header.host, kind });
        bus.publish(subject, encodeTelemetry(message));
      }
    }
  }

  it('keeps for the next brain what this one could not write, and writes it once', async () => {
    const bus = await startBus(stage, { hasStreams: true });
    const influx = await startInflux(stage);
    const first = await open(influx, bus);
    await influx.kill();
    const retold = tellOf(first);
    await publishTwice(bus, retold.telemetry);
    await until('the brain has handed over its lines', () => first.counts().waitingLines === 0);
    await first.close();
    await bus.kill();
    await bus.start();
    await influx.start();
    const second = await open(influx, bus);
    await until('all is written', async () => {
      const results = await count(influx, 'document', measurements.result).catch(() => 0);
      return results > 0 && second.counts().writtenLines > 2 * samplesIn(retold);
    });
    assert.equal(await count(influx, 'status', measurements.sample), samplesIn(retold));
    const { decisions, rounds } = retold.migration;
    assert.equal(await count(influx, 'document', measurements.decision), decisions.length);
    assert.equal(await count(influx, 'document', measurements.round), rounds.length);
    assert.equal(await count(influx, 'document', measurements.result), 1);
    const { dropped, refusedLines } = second.counts();
    assert.deepEqual([dropped, refusedLines], [0, 0]);
  });

  it('is bounded, and counts what it had to let go of', async () => {
    const bus = await startBus(stage, { hasStreams: true });
    const influx = await startInflux(stage);
    const limits = { maxBytes: 65_536, maxAgeMilliseconds: 60_000 };
    const history = await open(influx, bus, limits);
    const { telemetry } = tellOf(history);
    await until('something is written', () => history.counts().writtenLines > 0);
    await influx.kill();
    await publishTwice(bus, Array.from({ length: 10 }, () => telemetry).flat());
    await influx.start();
    await until('the loss is counted', () => history.counts().dropped > 0);
  });

  it('is done without where the server has no JetStream', async () => {
    const bus = await startBus(stage);
    const influx = await startInflux(stage);
    const history = await open(influx, bus);
    const retold = tellOf(history);
    await history.close();
    assert.equal(await count(influx, 'status', measurements.sample), samplesIn(retold));
    assert.equal(await count(influx, 'document', measurements.result), 1);
  });
});
