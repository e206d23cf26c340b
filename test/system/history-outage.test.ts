/** Nothing of a migration is lost while NATS and InfluxDB come and go, and nothing is there twice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent, type Agent } from '../../agent/agent.ts';
import { standalonePolicy } from '../../agent/policy-file.ts';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import { openHistory, type History } from '../../brain/history.ts';
import { queryInflux, type InfluxSettings } from '../../brain/history/influx.ts';
import { measurements } from '../../brain/history/points.ts';
import type { Listener } from '../../brain/listeners.ts';
import { recordLines } from '../../brain/recorder.ts';
import { replayTrace } from '../../brain/replay.ts';
import { createBrain, type Brain } from '../../brain/service.ts';
import type { TraceLine } from '../../brain/trace.ts';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import type { Bus } from '../../shared/bus.ts';
import { systemClock } from '../../shared/clock.ts';
import { decodeTelemetry } from '../../shared/codec.ts';
import { silentLog } from '../../shared/log.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import { defaultObjective } from '../../shared/objective.ts';
import type { Telemetry } from '../../shared/telemetry.ts';
import type { Pair } from '../rig/pair.ts';
import { startBus } from './bus.ts';
import { startInflux } from './influx.ts';
import { createStage, guests, linkBytesPerSecond, until } from './support.ts';

const stage = createStage();

/** What was said, whether or not it could be sent: the truth that history is held against. */
function overhear(bus: Bus, said: Telemetry[]): Bus {
  return {
    ...bus,
    get connected() {
      return bus.connected;
    },
    publish: (subject, payload) => {
      if (!subject.endsWith('.replay')) said.push(decodeTelemetry(payload));
      return bus.publish(subject, payload);
    },
  };
}

async function startAgents(pair: Pair, url: string, said: Telemetry[]): Promise<readonly Agent[]> {
  const folder = stage.folder();
  const agents: Agent[] = [];
  for (const [host, socket] of [
    ['one', pair.sourceQmp],
    ['two', pair.destinationQmp],
  ] as const) {
    const bus = await natsBus({ url, name: host });
    stage.undo(() => bus.close());
    const agent = createAgent({
      host,
      bus: overhear(bus, said),
      clock: systemClock,
      log: silentLog,
      sockets: [socket],
      policy: standalonePolicy({}),
      journalPath: join(folder, host),
    });
    stage.undo(() => agent.stop());
    await agent.start();
    agents.push(agent);
  }
  return agents;
}

async function startBrain(url: string, history: History, watcher: Listener, trace: TraceLine[]) {
  const bus = await natsBus({ url, name: 'brain' });
  stage.undo(() => bus.close());
  const brain = createBrain({
    bus,
    clock: systemClock,
    log: silentLog,
    reduce,
    start: startMigration,
    epoch: systemClock.wallMilliseconds(),
    listeners: [history.listener, watcher, recordLines((line) => trace.push(line))],
  });
  brain.start();
  stage.undo(() => {
    brain.stop();
  });
  return brain;
}

function migrate(brain: Brain, pair: Pair): void {
  brain.migrate({
    policy: 'adaptive',
    source: { host: 'one', selector: pair.sourceQmp },
    destination: { host: 'two', selector: pair.destinationQmp },
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: Number(pair.uri.split(':').at(-1)) },
    objective: {
      ...defaultObjective,
      ...(pair.isShaped ? {} : { maxBandwidthBytesPerSecond: linkBytesPerSecond }),
    },
  });
}

/** Rows of a measurement, one figure of each. */
async function figures(
  settings: InfluxSettings,
  measurement: string,
  field: string,
): Promise<readonly unknown[]> {
  const series = await queryInflux(settings, `SELECT "${field}" FROM "${measurement}"`);
  return series.flatMap(({ values }) => values.map((row) => row[1]));
}

const sorted = (values: readonly unknown[]) => values.map(String).sort();

describe('history with JetStream', function () {
  before(function () {
    if (!isExecutable(tools().natsServer) || !isExecutable(tools().influxd)) this.skip();
  });
  afterEach(() => stage.clear());

  it('has everything exactly once after NATS and InfluxDB were killed amid a migration', async () => {
    const [pair, bus, influx] = await Promise.all([
      stage.pair(guests.diverging),
      startBus(stage, { hasStreams: true }),
      startInflux(stage),
    ]);
    const said: Telemetry[] = [];
    const trace: TraceLine[] = [];
    const rounds: unknown[] = [];
    const history = await openHistory(
      { influx: influx.settings, brain: 'b1', log: silentLog },
      { url: bus.url, name: 'history' },
    );
    stage.undo(() => history.close());
    const watcher: Listener = { onRound: (_, round) => rounds.push(round.startRemainingBytes) };
    const brain = await startBrain(bus.url, history, watcher, trace);
    const agents = await startAgents(pair, bus.url, said);
    await until('both are known', () => brain.hosts().flatMap(({ vms }) => vms).length === 2);
    migrate(brain, pair);
    const has = (status: string) =>
      said.some(({ body }) => body.kind === 'migration' && body.sample.status === status);
    await until('it moves', () => has('active'));
    await influx.kill();
    await sleep(500);
    bus.freeze();
    await sleep(1_500);
    await bus.kill();
    await sleep(1_000);
    await bus.start();
    const settled = () => brain.migrations()[0]?.result;
    await until('it settles', () => settled() !== undefined, 60_000);
    await influx.start();
    for (const agent of agents) await agent.stop();

    await until('history has the result', async () => {
      const outcomes = await figures(influx.settings, measurements.result, 'total_milliseconds');
      return outcomes.length > 0;
    });
    const bodies = said.map(({ body }) => body);
    const samples = bodies.flatMap((body) => (body.kind === 'migration' ? [body.sample] : []));
    const hosts = bodies.flatMap((body) => (body.kind === 'host' ? [body.sample] : []));
    const all = (measurement: string, field: string) =>
      figures(influx.settings, measurement, field);
    await until('nothing is on its way any more', async () => {
      const written = await all(measurements.sample, 'status');
      return written.length >= samples.length;
    });
    assert.ok(samples.length > 20 && hosts.length > 5, `${samples.length} and ${hosts.length}`);
    assert.deepEqual(
      sorted(await all(measurements.sample, 'status')),
      sorted(samples.map(({ status }) => status)),
    );
    assert.deepEqual(
      sorted(await all(measurements.sample, 'remaining_bytes')),
      sorted(samples.flatMap(({ ram }) => ram?.remainingBytes ?? [])),
    );
    assert.deepEqual(
      sorted(await all(measurements.host, 'free_memory_bytes')),
      sorted(hosts.map(({ freeMemoryBytes }) => freeMemoryBytes)),
    );
    assert.deepEqual(
      sorted(await all(measurements.round, 'start_remaining_bytes')),
      sorted(rounds),
    );
    const lines = trace.map((line) => JSON.stringify(line));
    const replayed = replayTrace(lines, { reduce, start: startMigration });
    assert.equal(replayed.mismatch, undefined);
    assert.deepEqual(
      (await all(measurements.decision, 'document')).map(
        (text) => JSON.parse(String(text)) as unknown,
      ),
      JSON.parse(JSON.stringify(replayed.recordedDecisions)),
    );
    assert.deepEqual(await all(measurements.result, 'total_milliseconds'), [
      Math.round(settled()?.totalMilliseconds ?? NaN),
    ]);
    const { dropped, refusedLines } = history.counts();
    assert.deepEqual([dropped, refusedLines], [0, 0]);
  });
});
