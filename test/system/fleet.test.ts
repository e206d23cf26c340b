/** The commands of a fleet against a running brain, two agents and real QEMUs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from '../guests/guest.ts';
import type { Pair } from '../rig/pair.ts';
import { startBus, type RestartableBus } from './bus.ts';
import {
  build,
  createStage,
  guests,
  runningSides,
  until,
  type Ferryman,
  type Line,
} from './support.ts';

const stage = createStage();

interface Fleet {
  readonly pair: Pair;
  readonly bus: RestartableBus;
  readonly agents: Readonly<Record<'one' | 'two', Ferryman>>;
  readonly brain: Ferryman;
}

interface Done {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly messages: string;
}

/** Runs one command of an operator to its end. */
async function operator({ bus }: Pick<Fleet, 'bus'>, ...words: string[]): Promise<Done> {
  const command = stage.ferryman(...words, '--json', '--nats', bus.url);
  const code = await command.code;
  return { code, lines: command.lines, messages: command.messages() };
}

const has = (type: string) => (line: Line) => line['type'] === type;

async function startFleet(
  mode: 'advise' | 'act',
  change: object = {},
  guest: Guest = guests.small,
): Promise<Fleet> {
  const pair = await stage.pair(guest);
  const bus = await startBus(stage);
  const folder = stage.folder();
  const daemon = (name: string, command: string, config: object) => {
    const file = join(folder, `${name}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ nats: { url: bus.url }, ...config }));
    return stage.ferryman(command, '--config', file);
  };
  const [port] = pair.uri.split(':').slice(-1).map(Number);
  const policyFile = join(folder, 'policy.yaml');
  const policy = { migrationAddress: '127.0.0.1', migrationPorts: { first: port, last: port } };
  writeFileSync(policyFile, JSON.stringify(policy));
  const agent = (host: string, socket: string) =>
    daemon(host, 'agent', {
      ...{ host, policyFile, qmp: { sockets: [socket] } },
      stateDirectory: join(folder, host),
    });
  const agents = { one: agent('one', pair.sourceQmp), two: agent('two', pair.destinationQmp) };
  const brain = daemon('brain', 'brain', { brain: 'b1', mode, hosts: ['one', 'two'], ...change });
  const fleet = { pair, bus, agents, brain };
  await until('the brain knows both VMs, and what their hosts offer', async () => {
    const { lines } = await operator(fleet, 'list');
    const offers = lines.filter((line) => has('host')(line) && 'facts' in line);
    return lines.filter(has('vm')).length === 2 && offers.length === 2;
  });
  return fleet;
}

const small = ['--max-bandwidth', '32MiB/s'];

describe('the commands of a fleet', () => {
  before(build);
  afterEach(() => stage.clear());

  it('end with 3 when there is no NATS or no brain, and say which', async () => {
    const bus = await startBus(stage);
    const alone = await operator({ bus }, 'list');
    assert.equal(alone.code, 3);
    assert.match(alone.messages, /no brain answers/);
    assert.equal(alone.lines.at(-1)?.['code'], 'NO_RESPONDERS');
    await bus.kill();
    const dark = await operator({ bus }, 'list');
    assert.equal(dark.code, 3);
    assert.match(dark.messages, /cannot reach NATS/);
  });

  it('hold, abort, migrate, list and explain tell one story', async () => {
    const fleet = await startFleet('act');
    const held = await operator(fleet, 'hold', 'guest', '--reason', 'not today');
    assert.equal(held.code, 0, held.messages);
    const refused = await operator(fleet, 'migrate', 'guest', '--to', 'two');
    assert.equal(refused.code, 5);
    assert.match(refused.messages, /not today/);
    assert.equal((await operator(fleet, 'release', 'guest')).lines[0]?.['wasHeld'], true);

    const moved = await operator(fleet, 'migrate', 'guest', '--to', 'two', ...small);
    assert.equal(moved.code, 0, moved.messages);
    const { type: _, ...result } = moved.lines.at(-1) ?? {};
    assert.equal(result['outcome'], 'completed');
    const { lines } = await operator(fleet, 'list');
    const [listed] = lines.filter(has('migration'));
    assert.deepEqual(listed?.['result'], result);
    assert.equal(listed['source'], 'one');
    assert.equal(listed['destination'], 'two');
    const story = await operator(fleet, 'explain', 'guest');
    assert.deepEqual(story.lines.at(-1), { type: 'result', ...result });
    const decided = (each: readonly Line[]) =>
      each.filter(has('decision')).map(({ number }) => number);
    assert.deepEqual(decided(story.lines), decided(moved.lines));
    const watched = await operator(fleet, 'watch', String(listed['id']));
    assert.deepEqual(watched.lines.at(-1), { type: 'result', ...result });
    await until('the brain sees it there', async () => {
      const vms = (await operator(fleet, 'list')).lines.filter(has('vm'));
      return vms.some(({ host, runState }) => host === 'two' && runState === 'running');
    });
    const again = await operator(fleet, 'migrate', 'guest', '--to', 'one');
    assert.equal(again.code, 5);
    assert.match(again.messages, /destinationCommand/);
    for (const { child } of [fleet.brain, ...Object.values(fleet.agents)]) child.kill('SIGTERM');
    await Promise.all(Object.values(fleet.agents).map(({ code }) => code));
    assert.deepEqual(await runningSides(fleet.pair), ['destination']);
  });

  it('abort leaves the VM at the source, and advise sends nothing', async () => {
    const rules = { vms: { guest: { maxBandwidth: '4MiB/s' } } };
    const fleet = await startFleet('act', rules, guests.moderate);
    const migration = stage.ferryman(
      'migrate',
      'guest',
      '--to',
      'two',
      '--json',
      '--nats',
      fleet.bus.url,
    );
    await until('it moves', () => migration.lines.some(({ status }) => status === 'active'));
    const aborted = await operator(fleet, 'abort', 'guest', '--reason', 'changed my mind');
    assert.equal(aborted.code, 0, aborted.messages);
    assert.equal(aborted.lines[0]?.['outcome'], 'cancelled');
    assert.equal(await migration.code, 4);
    assert.match(String(migration.lines.at(-1)?.['reason']), /changed my mind/);
  });

  it('doctor is green, and names whichever part is stopped', async () => {
    const fleet = await startFleet('act');
    const faults = async () => {
      const { code, lines } = await operator(fleet, 'doctor');
      const named = lines.filter(({ state, type }) => type === 'check' && state === 'fault');
      return { code, parts: named.map(({ part, host }) => [part, host].filter(Boolean).join(' ')) };
    };
    assert.deepEqual(await faults(), { code: 0, parts: [] });
    const way = await operator(fleet, 'doctor', 'guest', '--to', 'one');
    assert.equal(way.code, 5);
    assert.match(
      String(way.lines.find(({ part }) => part === 'preflight')?.['message']),
      /already/,
    );
    const nobody = await operator(fleet, 'doctor', 'nobody', '--to', 'two');
    assert.equal(nobody.code, 5);
    assert.match(String(nobody.lines.at(-2)?.['message']), /no VM nobody runs/);
    fleet.agents.two.child.kill('SIGTERM');
    await until('the agent is missed', async () => (await faults()).parts.includes('agent two'));
    assert.deepEqual(await faults(), { code: 3, parts: ['agent two'] });
    fleet.agents.one.child.kill('SIGKILL');
    await until('both are missed', async () => (await faults()).parts.includes('agent one'));
    fleet.brain.child.kill('SIGTERM');
    await fleet.brain.code;
    assert.deepEqual(await faults(), { code: 3, parts: ['brain'] });
    await fleet.bus.kill();
    assert.deepEqual(await faults(), { code: 3, parts: ['nats'] });
  });

  it('say in mode advise what would be done', async () => {
    const fleet = await startFleet('advise');
    const advised = await operator(fleet, 'migrate', 'guest', '--to', 'two');
    assert.equal(advised.code, 5);
    assert.match(advised.messages, /mode advise/);
    assert.equal(advised.lines[0]?.['type'], 'prediction');
    const predicted = await operator(fleet, 'predict', 'guest', '--to', 'two');
    assert.equal(predicted.code, 0, predicted.messages);
    assert.ok((predicted.lines[0]?.['families'] as readonly unknown[]).length > 0);
    assert.deepEqual((await operator(fleet, 'list')).lines.filter(has('migration')), []);
  });
});
