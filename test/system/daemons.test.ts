/** `ferryman agent` twice and `ferryman brain`, configured by files, on a NATS server that may die. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeTelemetry } from '../../shared/codec.ts';
import type { MigrationSample } from '../../shared/sample.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import type { Pair } from '../rig/pair.ts';
import { startBus, type RestartableBus } from './bus.ts';
import {
  build,
  createStage,
  guests,
  mebibyte,
  runningSides,
  settingsOf,
  until,
  type Ferryman,
  type Line,
} from './support.ts';

const stage = createStage();

interface Fleet {
  readonly pair: Pair;
  readonly bus: RestartableBus;
  readonly brain: Ferryman;
  /** What the operator's desk answers to `ferryman.v1.op.<verb>`. */
  order(verb: string, body: object): Promise<Line>;
  /** The latest telemetry of the migration at the source. */
  sample(): MigrationSample | undefined;
  /** Ends the daemons as an operator does: then their monitors are free for our questions. */
  dismiss(): Promise<void>;
}

/** An agent on each side, and a brain that acts. */
async function startFleet(pair: Pair): Promise<Fleet> {
  const bus = await startBus(stage);
  const folder = stage.folder();
  const daemon = (name: string, command: string, config: object) => {
    const file = join(folder, `${name}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ nats: { url: bus.url }, ...config }));
    return stage.ferryman(command, '--config', file);
  };
  const policyFile = join(folder, 'policy.yaml');
  writeFileSync(policyFile, 'migrationPorts: { first: 1, last: 65535 }\n');
  const agents = Object.entries({ one: pair.sourceQmp, two: pair.destinationQmp }).map(
    ([host, socket]) => {
      const stateDirectory = join(folder, host);
      const qmp = { sockets: [socket] };
      return daemon(host, 'agent', { host, qmp, stateDirectory, policyFile });
    },
  );
  const brain = daemon('brain', 'brain', { brain: 'b1', mode: 'act' });
  const operator = await natsBus({ url: bus.url, name: 'operator' });
  stage.undo(() => operator.close());
  const order = async (verb: string, body: object) => {
    const payload = new TextEncoder().encode(JSON.stringify(body));
    const reply = await operator.request(`ferryman.v1.op.${verb}`, payload, 5000);
    return JSON.parse(new TextDecoder().decode(reply)) as Line;
  };
  let sample: MigrationSample | undefined;
  operator.subscribe('ferryman.v1.tel.>', (_, payload) => {
    const { header, body } = decodeTelemetry(payload);
    if (header.host === 'one' && body.kind === 'migration') ({ sample } = body);
  });
  const dismiss = async () => {
    const daemons = [brain, ...agents].filter(({ child }) => child.signalCode === null);
    for (const { child } of daemons) child.kill('SIGTERM');
    for (const { code } of daemons) assert.equal(await code, 0);
  };
  return { pair, bus, brain, order, sample: () => sample, dismiss };
}

/** Orders the migration as soon as both VMs are known. */
async function migrate(
  { pair, order }: Fleet,
  policy: string,
  objective: object = {},
): Promise<void> {
  const port = Number(pair.uri.split(':').at(-1));
  const wanted = {
    policy,
    source: { host: 'one', selector: pair.sourceQmp },
    destination: { host: 'two', selector: pair.destinationQmp },
    endpoint: { kind: 'tcp', host: '127.0.0.1', port },
    objective: {
      ...objective,
      ...(pair.isShaped ? {} : { maxBandwidthBytesPerSecond: 32 * mebibyte }),
    },
  };
  let reply: Line | undefined;
  await until('the order is taken', async () => {
    reply = await order('migrate', wanted).catch(() => undefined);
    const isTurnedDown = reply?.['ok'] === false && reply['code'] !== 'UNKNOWN_VM';
    assert.ok(!isTurnedDown, str(reply));
    return reply?.['ok'] === true;
  });
}

const str = (value: unknown) => JSON.stringify(value);

/** What the brain says of its only migration. */
async function migrationOf({ order }: Fleet): Promise<Line> {
  const { migrations } = await order('list', {}).catch(() => ({ migrations: [] }));
  return (migrations as readonly Line[])[0] ?? {};
}

/** Waits for the end, which is that the VM runs at the destination. */
async function arrives(fleet: Fleet, settings: readonly unknown[]): Promise<void> {
  await until('the migration settles', async () => 'result' in (await migrationOf(fleet)), 60_000);
  const { result } = await migrationOf(fleet);
  assert.equal((result as Line)['outcome'], 'completed', str(result));
  await fleet.dismiss();
  assert.deepEqual(await runningSides(fleet.pair), ['destination']);
  assert.deepEqual(await settingsOf(fleet.pair.destinationQmp), settings);
}

describe('the daemons', () => {
  before(build);
  afterEach(() => stage.clear());

  it('end with 2 on a configuration that cannot be used, and name file and line', async () => {
    const file = join(stage.folder(), 'broken.yaml');
    const complaints = {
      'mode: act\nnats: { url: nats://127.0.0.1:4222 }\nspeed: 9\n': /broken\.yaml:3.*speed/,
      'mode: [act\n': /broken\.yaml:\d/,
      'mode: act\n': /nats/,
    };
    for (const [text, complaint] of Object.entries(complaints)) {
      writeFileSync(file, text);
      const brain = stage.ferryman('brain', '--config', file);
      assert.equal(await brain.code, 2);
      assert.match(brain.messages(), complaint);
    }
    const missing = stage.ferryman('agent', '--config', join(stage.folder(), 'none.yaml'));
    assert.equal(await missing.code, 2);
    assert.match(missing.messages(), /none\.yaml/);
  });

  it('bring a VM across', async () => {
    const pair = await stage.pair(guests.diverging);
    const settings = await settingsOf(pair.destinationQmp);
    const fleet = await startFleet(pair);
    await migrate(fleet, 'adaptive');
    await arrives(fleet, settings);
  });

  it('bring it across although nats-server was killed and came back', async () => {
    const pair = await stage.pair(guests.moderate);
    const settings = await settingsOf(pair.destinationQmp);
    const fleet = await startFleet(pair);
    await migrate(fleet, 'adaptive');
    await until('it moves', () => fleet.sample()?.status === 'active');
    await fleet.bus.kill();
    await sleep(700);
    await fleet.bus.start();
    await arrives(fleet, settings);
  });

  it('let go of the guest when the brain is killed, and the VM keeps running', async () => {
    const fleet = await startFleet(await stage.pair(guests.fourfold));
    await migrate(fleet, 'auto-converge');
    const throttlePercent = () => fleet.sample()?.throttlePercent ?? 0;
    await until('the guest is held back', () => throttlePercent() > 1);
    fleet.brain.child.kill('SIGKILL');
    // Silence for 5 s, then the order; by QEMU it acts within two syncs of some seconds each.
    await until('the throttle is at its floor', () => throttlePercent() <= 1, 30_000);
    assert.equal(fleet.sample()?.status, 'active');
    await fleet.dismiss();
    assert.deepEqual(await runningSides(fleet.pair), ['source']);
  });
});
