/**
 * A migration amid which InfluxDB or NATS is taken away: two agents and a brain as the daemons are, all
 * that the agents said and did, and what became of it in the history. Used by tests and by the bench.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createAgent, type Agent } from '../../agent/agent.ts';
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import type { MigrationResult } from '../../brain/core/migration.ts';
import { queryInflux, type InfluxSettings } from '../../brain/history/influx.ts';
import { measurements } from '../../brain/history/points.ts';
import type { Listener } from '../../brain/listeners.ts';
import { runBrain, type RunningBrain } from '../../brain/main.ts';
import { recordLines } from '../../brain/trace/recorder.ts';
import { replayTrace } from '../../brain/trace/replay.ts';
import type { TraceLine } from '../../brain/trace/trace.ts';
import type { Bus } from '../../shared/bus.ts';
import { systemClock } from '../../shared/clock.ts';
import { decodeTelemetry } from '../../shared/codec.ts';
import type { CommandOutcome, OperationKind } from '../../shared/command.ts';
import type { BrainConfig } from '../../shared/config.ts';
import { silentLog } from '../../shared/log.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import type { MigrationSample } from '../../shared/sample.ts';
import type { Telemetry } from '../../shared/telemetry.ts';
import type { Guest } from '../guests/guest.ts';
import type { Pair } from '../rig/pair.ts';
import { startBus, type RestartableBus } from './bus.ts';
import { startInflux, type RestartableInflux } from './influx.ts';
import { until, type Stage } from './support.ts';

/** A command as it was answered. */
export interface Answered {
  readonly atMilliseconds: number;
  readonly operation: OperationKind;
  readonly outcome: CommandOutcome;
}

export interface WitnessedFleet {
  readonly pair: Pair;
  readonly bus: RestartableBus;
  readonly influx: RestartableInflux;
  /** All that the agents had to say, whether or not it could be sent. */
  readonly said: readonly Telemetry[];
  readonly answered: readonly Answered[];
  /** The source's, with Unix times. */
  samples(): readonly (MigrationSample & { readonly atMilliseconds: number })[];
  result(): MigrationResult | undefined;
  /** Waits for the history, and holds it against what was said. Throws AssertionError. */
  checkHistory(): Promise<HistoryCounts>;
}

/** What is there exactly once. */
export interface HistoryCounts {
  readonly samples: number;
  readonly hosts: number;
  readonly rounds: number;
  readonly decisions: number;
  readonly results: number;
}

export interface OutageGuest {
  readonly guest: Guest;
  readonly linkBytesPerSecond: number;
  readonly qemu?: '7.2' | '10.0';
}

/** What the brain's listeners were told. */
interface Told {
  readonly trace: TraceLine[];
  readonly rounds: number[];
  result?: MigrationResult;
}

/** Starts all of it and orders the migration; the stage ends it. */
export async function startWitnessed(stage: Stage, on: OutageGuest): Promise<WitnessedFleet> {
  const { guest, linkBytesPerSecond, qemu = '7.2' } = on;
  const [pair, bus, influx] = await Promise.all([
    stage.pair(guest, { linkBytesPerSecond, qemu }),
    startBus(stage, { hasStreams: true }),
    startInflux(stage),
  ]);
  const said: Telemetry[] = [];
  const answered: Answered[] = [];
  const told: Told = { trace: [], rounds: [] };
  const brain = await startBrain(bus.url, influx.settings, told);
  stage.undo(() => brain.stop());
  const agents = await startAgents(stage, pair, bus.url, said, answered);
  await order(stage, pair, bus.url, linkBytesPerSecond);
  return {
    ...{ pair, bus, influx, said, answered },
    samples: () =>
      said.flatMap(({ header, body }) =>
        body.kind === 'migration' && header.host === 'one'
          ? [{ ...body.sample, atMilliseconds: header.atMilliseconds }]
          : [],
      ),
    result: () => told.result,
    checkHistory: async () => {
      for (const agent of agents) await agent.stop();
      return checkHistory(influx.settings, said, told);
    },
  };
}

async function startBrain(url: string, influx: InfluxSettings, told: Told): Promise<RunningBrain> {
  const watcher: Listener = {
    onRound: (_, { startRemainingBytes }) => void told.rounds.push(startRemainingBytes),
    onSettled: (_, result) => {
      told.result = result;
    },
  };
  const listeners = [watcher, recordLines((line) => void told.trace.push(line))];
  const { flavor, database, url: databaseUrl } = influx;
  const config: BrainConfig = {
    ...{ nats: { url }, brain: 'b1', mode: 'act', policy: 'adaptive', hosts: [], rules: [] },
    influx: { flavor, database, url: databaseUrl },
  };
  return runBrain(config, { ...silentLog, setLevel: () => undefined }, listeners);
}

/** Notes what is said, whether or not it can be sent. */
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

async function startAgents(
  stage: Stage,
  pair: Pair,
  url: string,
  said: Telemetry[],
  answered: Answered[],
): Promise<readonly Agent[]> {
  const folder = stage.folder();
  const sockets = { one: pair.sourceQmp, two: pair.destinationQmp };
  const agents: Agent[] = [];
  for (const [host, socket] of Object.entries(sockets)) {
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
      onAnswer: ({ operation }, { outcome }) => {
        answered.push({ atMilliseconds: Date.now(), operation: operation.kind, outcome });
      },
    });
    stage.undo(() => agent.stop());
    await agent.start();
    agents.push(agent);
  }
  return agents;
}

async function order(stage: Stage, pair: Pair, url: string, link: number): Promise<void> {
  const bus = await natsBus({ url, name: 'operator' });
  stage.undo(() => bus.close());
  const wanted = {
    source: { host: 'one', selector: pair.sourceQmp },
    destination: { host: 'two', selector: pair.destinationQmp },
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: Number(pair.uri.split(':').at(-1)) },
    objective: pair.isShaped ? {} : { maxBandwidthBytesPerSecond: link },
  };
  const payload = new TextEncoder().encode(JSON.stringify(wanted));
  await until('the order is taken', async () => {
    const reply = await bus
      .request('ferryman.v1.op.migrate', payload, 5_000)
      .catch(() => undefined);
    return reply !== undefined && new TextDecoder().decode(reply).includes('"ok":true');
  });
}

/** Rows of a measurement, one figure of each. */
async function figures(settings: InfluxSettings, measurement: string, field: string) {
  const series = await queryInflux(settings, `SELECT "${field}" FROM "${measurement}"`);
  return series.flatMap(({ values }) => values.map((row) => row[1]));
}

const sorted = (values: readonly unknown[]) => values.map(String).sort();

async function checkHistory(
  settings: InfluxSettings,
  said: readonly Telemetry[],
  { trace, rounds, result }: Told,
): Promise<HistoryCounts> {
  const all = (measurement: string, field: string) => figures(settings, measurement, field);
  const bodies = said.map(({ body }) => body);
  const samples = bodies.flatMap((body) => (body.kind === 'migration' ? [body.sample] : []));
  const hosts = bodies.flatMap((body) => (body.kind === 'host' ? [body.sample] : []));
  const lines = trace.map((line) => JSON.stringify(line));
  const replayed = replayTrace(lines, { reduce, start: startMigration });
  const { recordedDecisions } = replayed;
  const wanted = [samples, hosts, recordedDecisions, [result]].map((each) => each.length);
  let written: readonly number[] = [];
  const isThere = async (): Promise<boolean> => {
    const rows = await Promise.all([
      all(measurements.sample, 'status'),
      all(measurements.host, 'free_memory_bytes'),
      all(measurements.decision, 'document'),
      all(measurements.result, 'total_milliseconds'),
    ]);
    written = rows.map((each) => each.length);
    return wanted.every((count, index) => (written[index] ?? 0) >= count);
  };
  await until('nothing is on its way any more', isThere).catch(() => {
    assert.deepEqual(written, wanted, 'samples, hosts, decisions and results in the history');
  });
  assert.equal(replayed.mismatch, undefined, 'the decisions are those of a replay');
  const same = async (measurement: string, field: string, wanted: readonly unknown[]) => {
    assert.deepEqual(sorted(await all(measurement, field)), sorted(wanted), measurement);
  };
  await same(
    measurements.sample,
    'status',
    samples.map(({ status }) => status),
  );
  const remaining = samples.flatMap(({ ram }) => ram?.remainingBytes ?? []);
  await same(measurements.sample, 'remaining_bytes', remaining);
  await same(
    measurements.host,
    'free_memory_bytes',
    hosts.map((each) => each.freeMemoryBytes),
  );
  await same(measurements.round, 'start_remaining_bytes', rounds);
  const documents = recordedDecisions.map((decision) => JSON.stringify(decision));
  await same(measurements.decision, 'document', documents);
  const totals = [Math.round(result?.totalMilliseconds ?? NaN)];
  await same(measurements.result, 'total_milliseconds', totals);
  return {
    samples: samples.length,
    hosts: hosts.length,
    rounds: rounds.length,
    decisions: recordedDecisions.length,
    results: 1,
  };
}
