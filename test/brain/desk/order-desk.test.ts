import assert from 'node:assert/strict';
import { silentLog } from '../../../shared/log.ts';
import { memoryBus } from '../../../shared/memory-bus.ts';
import { defaultObjective } from '../../../shared/objective.ts';
import { openDesk } from '../../../brain/desk/order-desk.ts';
import { OrderError } from '../../../brain/orders.ts';
import type { MigrationOrder } from '../../../brain/orders.ts';
import type { MigrationPrediction } from '../../../brain/core/prediction.ts';
import type { HostView } from '../../../brain/fleet.ts';
import type { PredictionOrder } from '../../../brain/migrations/predict.ts';
import type { Brain } from '../../../brain/service.ts';
import type { VmRules } from '../../../shared/config/vms.ts';
import type { HostFacts } from '../../../shared/host-facts.ts';
import type { VmFacts } from '../../../shared/sample.ts';
import { factsOf, hostSample, order, startStub } from '../fixtures.ts';

type Reply = Readonly<Record<string, unknown>>;

const vmRules: VmRules = [
  { pattern: 'gold-*', rule: { policy: 'ladder', objective: { maxThrottlePercent: 20 } } },
  { pattern: 'shy', rule: { mode: 'observe', objective: {} } },
];

const hostFacts: HostFacts = {
  mode: 'act',
  migrationAddress: '10.0.0.2',
  ...{ firstMigrationPort: 49_152, lastMigrationPort: 49_153, occupiedPorts: [] },
  canStartDestination: true,
  lacks: [],
};

function hostView(host: string, vms: readonly VmFacts[], facts = hostFacts): HostView {
  const counts = { silentMilliseconds: 100, lostMessages: 0, staleMessages: 0 };
  return { host, agentBoot: 'boot-1', ...counts, sample: hostSample, facts, vms };
}

const waiting = factsOf('h2', { runState: 'inmigrate' });
const twoHosts = [hostView('h1', [factsOf('h1')]), hostView('h2', [])];

interface DeskSetting {
  readonly mode?: 'observe' | 'advise' | 'act';
  readonly hosts?: readonly HostView[];
}

/** A desk of a brain that only keeps the orders it is given. */
function desk({ mode = 'act', hosts = [] }: DeskSetting = {}) {
  const bus = memoryBus();
  const orders: MigrationOrder[] = [];
  const aborted: string[] = [];
  const started: string[] = [];
  const held = new Map<string, string>();
  const predicted: PredictionOrder[] = [];
  const brain: Brain = {
    start: assert.fail,
    stop: assert.fail,
    retire: assert.fail,
    migrate: (taken) => {
      if (taken.id === 'taken') throw new OrderError('ID_TAKEN', 'migration taken exists already');
      orders.push(taken);
      return 'm1';
    },
    predict: (question) => {
      predicted.push(question);
      return Promise.resolve({ vm: 'guest' } as MigrationPrediction);
    },
    abort: (id) => void aborted.push(id),
    migrations: () => [startStub({ id: 'm1', policy: 'stub', atMilliseconds: 0 })],
    hosts: () => hosts,
    takeOver: () => assert.fail(),
    keep: () => assert.fail(),
    hold: (uuid, reason) => Promise.resolve(held.set(uuid, reason).size > 0),
    release: (uuid) => held.delete(uuid),
    held: () => held,
    startDestination: (host, uuid) => {
      started.push(`${host} ${uuid}`);
      return Promise.resolve(waiting);
    },
  };
  const rules = vmRules;
  openDesk({ bus, brain, log: silentLog, policy: 'adaptive', name: 'b1', mode, rules });
  const ask = async (verb: string, body: unknown): Promise<Reply> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await bus.request(`ferryman.v1.op.${verb}`, new TextEncoder().encode(text), 100);
    return JSON.parse(new TextDecoder().decode(reply)) as Reply;
  };
  return { ask, orders, aborted, started, held, predicted };
}

const { policy: _, objective: __, ...shortOrder } = order;

describe('brain/desk/order-desk', () => {
  it('fills in the policy and the objective', async () => {
    const { ask, orders } = desk();
    const reply = await ask('migrate', { ...shortOrder, objective: { maxThrottlePercent: 40 } });
    assert.equal(reply['id'], 'm1');
    assert.equal(orders[0]?.policy, 'adaptive');
    assert.deepEqual(orders[0].objective, { ...defaultObjective, maxThrottlePercent: 40 });
  });

  it('turns down what is out of bounds or unknown, naming the field', async () => {
    const { ask, orders } = desk();
    const refused = async (order: unknown, message: RegExp) => {
      const reply = await ask('migrate', order);
      assert.equal(reply['ok'], false);
      assert.equal(reply['code'], 'BAD_ORDER');
      assert.match(String(reply['message']), message);
    };
    await refused('{"source":', /JSON/);
    await refused({ ...shortOrder, objective: { maxThrottlePercent: 100 } }, /objective\.maxThr/);
    await refused({ ...shortOrder, objective: { bandwidth: 1 } }, /objective.*bandwidth/);
    await refused({ ...shortOrder, endpoint: { kind: 'exec', path: 'sh' } }, /endpoint/);
    await refused({ ...shortOrder, source: { host: 'h1' } }, /source\.selector/);
    assert.equal(orders.length, 0);
  });

  it('hands on the reason for which the brain turns an order down', async () => {
    const reply = await desk().ask('migrate', { ...shortOrder, id: 'taken' });
    assert.deepEqual(reply, {
      ok: false,
      code: 'ID_TAKEN',
      message: 'migration taken exists already',
    });
  });

  it('migrates nothing unless the brain may act, and says what it would do', async () => {
    const advising = desk({ mode: 'advise', hosts: twoHosts });
    const reply = await advising.ask('migrate', { vm: 'guest', to: 'h2' });
    assert.equal(reply['code'], 'MODE');
    assert.deepEqual(reply['advice'], { vm: 'guest' });
    const observing = desk({ mode: 'observe', hosts: twoHosts });
    for (const order of [shortOrder, { vm: 'guest', to: 'h2' }]) {
      assert.equal((await observing.ask('migrate', order))['code'], 'MODE');
    }
    assert.equal((await observing.ask('predict', { vm: 'guest' }))['code'], 'MODE');
    assert.deepEqual(
      [advising, observing].flatMap(({ orders, started }) => [...orders, ...started]),
      [],
    );
    assert.equal(observing.predicted.length, 0);
  });

  it('finds a VM by name, has its destination started, and gives out ports in turn', async () => {
    const { ask, orders, started } = desk({ hosts: twoHosts });
    for (const _ of [1, 2, 3]) await ask('migrate', { vm: 'guest', to: 'h2' });
    assert.equal(started[0], `h2 ${waiting.ref.uuid}`);
    assert.deepEqual(orders[0]?.source, { host: 'h1', selector: '/run/h1.sock' });
    assert.deepEqual(orders[0].destination, { host: 'h2', selector: '/run/h2.sock' });
    const ports = orders.map(({ endpoint }) => endpoint.kind === 'tcp' && endpoint.port);
    assert.deepEqual(ports, [49_152, 49_153, 49_152]);
  });

  it('uses a QEMU that waits already', async () => {
    const hosts = [hostView('h1', [factsOf('h1')]), hostView('h2', [waiting])];
    const { ask, orders, started } = desk({ hosts });
    assert.equal((await ask('migrate', { vm: 'guest', to: 'h2' }))['started'], false);
    assert.equal(orders.length, 1);
    assert.deepEqual(started, []);
  });

  it('refuses where no destination can be had, and says how to have one', async () => {
    const bare = hostView('h2', [], { ...hostFacts, canStartDestination: false });
    const { ask, orders } = desk({ hosts: [hostView('h1', [factsOf('h1')]), bare] });
    const reply = await ask('migrate', { vm: 'guest', to: 'h2' });
    assert.equal(reply['code'], 'NO_DESTINATION');
    assert.match(String(reply['message']), /destinationCommand/);
    assert.equal(orders.length, 0);
  });

  it('follows what is configured for the VM; the order itself has the last word', async () => {
    const gold = hostView('h1', [
      factsOf('h1', { name: 'gold-1' }),
      factsOf('h1', { name: 'shy' }),
    ]);
    const { ask, orders } = desk({ hosts: [gold, hostView('h2', [])] });
    await ask('migrate', { vm: 'gold-1', to: 'h2', objective: { ioSensitive: true } });
    assert.equal(orders[0]?.policy, 'ladder');
    const { maxThrottlePercent, ioSensitive } = orders[0].objective;
    assert.deepEqual(
      { maxThrottlePercent, ioSensitive },
      { maxThrottlePercent: 20, ioSensitive: true },
    );
    assert.equal((await ask('migrate', { vm: 'shy', to: 'h2' }))['code'], 'MODE');
  });

  it('holds, refuses what is held, and releases', async () => {
    const { ask, held, orders, started } = desk({ hosts: twoHosts });
    await ask('hold', { vm: 'guest', reason: 'asked for' });
    assert.deepEqual([...held.values()], ['asked for']);
    const { vms } = await ask('list', '');
    assert.equal((vms as readonly Reply[])[0]?.['held'], 'asked for');
    const reply = await ask('migrate', { vm: 'guest', to: 'h2' });
    assert.equal(reply['code'], 'VM_HELD');
    assert.match(String(reply['message']), /asked for.*ferryman release guest/);
    assert.deepEqual([...orders, ...started], []);
    assert.equal((await ask('release', { vm: 'guest' }))['wasHeld'], true);
    assert.equal((await ask('migrate', { vm: 'guest', to: 'h2' }))['ok'], true);
  });

  it('aborts by id, and names what there is for one it does not know', async () => {
    const { ask, aborted } = desk();
    assert.deepEqual(await ask('abort', { id: 'm1' }), { ok: true, id: 'm1' });
    assert.deepEqual(aborted, ['m1']);
    const reply = await ask('abort', { id: 'm2' });
    assert.equal(reply['code'], 'UNKNOWN_MIGRATION');
    assert.match(String(reply['message']), /m1/);
  });

  it('lists hosts, VMs and migrations, and shows one in full', async () => {
    const { ask } = desk({ hosts: twoHosts });
    const { hosts, vms, migrations } = await ask('list', '');
    assert.deepEqual(
      (hosts as readonly Reply[]).map(({ host }) => host),
      ['h1', 'h2'],
    );
    assert.equal((vms as readonly Reply[])[0]?.['vm'], 'guest');
    assert.equal((migrations as readonly Reply[])[0]?.['id'], 'm1');
    const { migration } = await ask('show', { migration: 'm1' });
    assert.equal((migration as Reply)['phase'], 'observed');
  });

  it('says how the brain is doing', async () => {
    const { status } = await desk({ hosts: twoHosts }).ask('status', '');
    const { brain, mode, history } = status as Reply;
    assert.deepEqual(
      { brain, mode, history },
      { brain: 'b1', mode: 'act', history: { kept: false } },
    );
  });

  it('has a libvirt domain moved by libvirt, to where its host says that it takes them in', async () => {
    const domain = factsOf('h1', { owner: 'libvirt', monitor: 'libvirt:it' });
    const libvirt = { transport: 'tls', host: '10.0.0.2' } as const;
    const there = hostView('h2', [], { ...hostFacts, canStartDestination: false, libvirt });
    const { ask, orders, started } = desk({ hosts: [hostView('h1', [domain]), there] });
    const reply = await ask('migrate', { vm: 'guest', to: 'h2' });
    assert.equal(reply['ok'], true, JSON.stringify(reply));
    assert.deepEqual(orders[0]?.endpoint, { kind: 'libvirt', ...libvirt });
    assert.deepEqual(orders[0].destination, { host: 'h2', selector: 'libvirt:it' });
    assert.deepEqual(started, []);
  });

  it('says what is missing where no libvirt is known to take it in', async () => {
    const domain = factsOf('h1', { owner: 'libvirt' });
    const { ask } = desk({ hosts: [hostView('h1', [domain]), hostView('h2', [])] });
    const { code, message } = await ask('migrate', { vm: 'guest', to: 'h2' });
    assert.equal(code, 'NO_DESTINATION');
    assert.match(String(message), /libvirtUri/);
  });
});
