/** Two brains on one nats-server: one leads, the other takes over amid a migration on real QEMU. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAgent } from '../../agent/agent.ts';
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import type { Bus } from '../../shared/bus.ts';
import { systemClock } from '../../shared/clock.ts';
import { decodeBeacon, decodeCommandResult, encodeCommand } from '../../shared/codec.ts';
import type { Command, CommandResult } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import type { Guest } from '../guests/guest.ts';
import type { Pair } from '../rig/pair.ts';
import { startBus, type RestartableBus } from './bus.ts';
import { build, createStage, mebibyte, runningSides, settingsOf, until } from './support.ts';
import type { Ferryman, Line } from './support.ts';

const stage = createStage();

/** Long enough under way to lose its brain: it diverges, and crosses a slow link. */
const guest: Guest = {
  workingSetBytes: 40 * mebibyte,
  dirtyBytesPerSecond: 15 * mebibyte,
  content: 'random',
};
const linkBytesPerSecond = 10 * mebibyte;

interface Answered {
  readonly command: Command;
  readonly result: CommandResult;
}

interface Heard {
  readonly brain: string;
  readonly epoch: number;
  readonly atMilliseconds: number;
}

interface Fleet {
  readonly pair: Pair;
  readonly bus: RestartableBus;
  readonly operator: Bus;
  readonly beacons: readonly Heard[];
  /** Of the destination, before anybody set any. */
  readonly settings: readonly unknown[];
  readonly answered: readonly Answered[];
  brain(name: string): Ferryman;
  ask(verb: string, body?: object): Promise<Line>;
  /** Leaves the monitors to our questions. */
  dismiss(): Promise<void>;
}

async function startFleet(): Promise<Fleet> {
  const [pair, bus] = await Promise.all([
    stage.pair(guest, { linkBytesPerSecond }),
    startBus(stage, { hasStreams: true }),
  ]);
  const settings = await settingsOf(pair.destinationQmp);
  const folder = stage.folder();
  const operator = await natsBus({ url: bus.url, name: 'operator' });
  stage.undo(() => operator.close());
  const beacons: Heard[] = [];
  operator.subscribe('ferryman.v1.lead.>', (_, payload) => {
    beacons.push({ ...decodeBeacon(payload), atMilliseconds: Date.now() });
  });
  const answered: Answered[] = [];
  const agents = await Promise.all(
    Object.entries({ one: pair.sourceQmp, two: pair.destinationQmp }).map(
      async ([host, socket]) => {
        const own = await natsBus({ url: bus.url, name: host });
        stage.undo(() => own.close());
        const agent = createAgent({
          ...{ host, bus: own, clock: systemClock, log: silentLog, sockets: [socket] },
          policy: standalonePolicy({}),
          journalPath: join(folder, host),
          onAnswer: (command, result) => void answered.push({ command, result }),
        });
        stage.undo(() => agent.stop());
        await agent.start();
        return agent;
      },
    ),
  );
  return {
    ...{ pair, bus, operator, beacons, answered, settings },
    brain: (name) => {
      const file = join(folder, `${name}.yaml`);
      const nats = { url: bus.url };
      writeFileSync(file, JSON.stringify({ nats, brain: name, mode: 'act', policy: 'adaptive' }));
      return stage.ferryman('brain', '--config', file);
    },
    ask: async (verb, body = {}) => {
      const payload = new TextEncoder().encode(JSON.stringify(body));
      const reply = await operator.request(`ferryman.v1.op.${verb}`, payload, 5_000);
      return JSON.parse(new TextDecoder().decode(reply)) as Line;
    },
    dismiss: async () => {
      for (const agent of agents) await agent.stop();
    },
  };
}

async function migrate({ pair, ask }: Fleet): Promise<void> {
  const wanted = {
    source: { host: 'one', selector: pair.sourceQmp },
    destination: { host: 'two', selector: pair.destinationQmp },
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: Number(pair.uri.split(':').at(-1)) },
    objective: pair.isShaped ? {} : { maxBandwidthBytesPerSecond: linkBytesPerSecond },
  };
  await until('the order is taken', async () => {
    const reply = await ask('migrate', wanted).catch(() => undefined);
    return reply?.['ok'] === true;
  });
}

const nowLeading = ({ beacons }: Fleet) => beacons.at(-1)?.brain;

/** The other brain of two. */
const other = (name: string | undefined) => (name === 'b1' ? 'b2' : 'b1');

/** Nobody speaks under an epoch once a greater one was heard, and no command of it is applied. */
function checkOneAtATime({ beacons, answered }: Fleet): void {
  const spoken = beacons.map(({ epoch }) => epoch);
  assert.deepEqual(
    spoken,
    spoken.toSorted((a, b) => a - b),
  );
  const applied = answered.filter(({ result }) => result.outcome === 'applied');
  const obeyed = applied.map(({ command }) => command.epoch);
  assert.deepEqual(
    obeyed,
    obeyed.toSorted((a, b) => a - b),
  );
  const ids = applied.map(({ command }) => command.id);
  assert.equal(new Set(ids).size, ids.length, 'no command twice');
}

/** A command of an earlier epoch that comes late is turned down by both hosts. */
async function checkDeposed({ operator, answered }: Fleet, epoch: number): Promise<void> {
  for (const host of ['one', 'two']) {
    const last = answered.findLast(({ command }) => command.target.host === host)?.command;
    assert.ok(last, `no command reached ${host}`);
    const late: Command = {
      ...last,
      ...{ id: `late-${host}`, epoch, sequence: last.sequence + 1_000 },
      expiresAtAgentMilliseconds: last.expiresAtAgentMilliseconds + 60_000,
      operation: { kind: 'throttle', percent: 50, mechanism: 'qemu' },
    };
    const reply = await operator.request(`ferryman.v1.cmd.${host}`, encodeCommand(late), 5_000);
    const { outcome, reason } = decodeCommandResult(reply);
    assert.equal(outcome, 'refused');
    assert.match(String(reason), /^epoch: .* deposed/);
  }
}

async function arrives(fleet: Fleet): Promise<void> {
  const listed = async () =>
    ((await fleet.ask('list').catch(() => ({}))) as { migrations?: readonly Line[] }).migrations;
  await until('it settles', async () => (await listed())?.[0]?.['result'] !== undefined, 90_000);
  const result = (await listed())?.[0]?.['result'] as Line;
  assert.equal(result['outcome'], 'completed', JSON.stringify(result));
  await fleet.dismiss();
  assert.deepEqual(await runningSides(fleet.pair), ['destination']);
  assert.deepEqual(await settingsOf(fleet.pair.destinationQmp), fleet.settings);
}

describe('two brains', () => {
  before(function () {
    if (!isExecutable(tools().natsServer)) this.skip();
    build();
  });
  afterEach(() => stage.clear());

  for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const) {
    it(`hand a migration over when the leader gets ${signal}, and it completes`, async () => {
      const fleet = await startFleet();
      const brains = { b1: fleet.brain('b1'), b2: fleet.brain('b2') };
      await until('one leads', () => nowLeading(fleet) !== undefined);
      const first = nowLeading(fleet) === 'b1' ? 'b1' : 'b2';
      const second = other(first);
      await migrate(fleet);
      const hasThrottled = () =>
        fleet.answered.some(({ command: { operation } }) => operation.kind === 'throttle');
      await until('the guest is held back', hasThrottled, 60_000);
      const deposed = fleet.beacons.at(-1)?.epoch ?? 0;
      const endedAt = Date.now();
      brains[first].child.kill(signal);
      await until('the other leads', () => nowLeading(fleet) === second, 10_000);
      const took = (fleet.beacons.at(-1)?.atMilliseconds ?? NaN) - endedAt;
      assert.ok(took < 4_000, `taken over after ${took} ms`);
      if (signal === 'SIGSTOP') brains[first].child.kill('SIGCONT');
      await checkDeposed(fleet, deposed);
      const { status } = (await fleet.ask('status')) as { status: Line };
      assert.equal(status['brain'], second);
      await arrives(fleet);
      checkOneAtATime(fleet);
      const obeyed = new Set(fleet.answered.map(({ command }) => command.epoch));
      assert.ok(obeyed.size >= 2, 'both have commanded');
    });
  }

  it('a brain that is killed and started again goes on with its migration and its holds', async () => {
    const fleet = await startFleet();
    const first = fleet.brain('b1');
    await migrate(fleet);
    await until('it moves', () =>
      fleet.answered.some(({ command: { operation } }) => operation.kind === 'migrate'),
    );
    first.child.kill('SIGKILL');
    fleet.brain('b1');
    await arrives(fleet);
    checkOneAtATime(fleet);
  });
});
