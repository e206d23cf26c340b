import assert from 'node:assert/strict';
import { silentLog } from '../../shared/log.ts';
import { memoryBus } from '../../shared/memory-bus.ts';
import { defaultObjective } from '../../shared/objective.ts';
import { openDesk } from '../../brain/order-desk.ts';
import { OrderError } from '../../brain/orders.ts';
import type { MigrationOrder } from '../../brain/orders.ts';
import type { Brain } from '../../brain/service.ts';
import { order, startStub } from './fixtures.ts';

type Reply = Readonly<Record<string, unknown>>;

/** A desk of a brain that only keeps the orders it is given. */
function desk(mode: 'advise' | 'act' = 'act') {
  const bus = memoryBus();
  const orders: MigrationOrder[] = [];
  const aborted: string[] = [];
  const brain: Brain = {
    start: assert.fail,
    stop: assert.fail,
    migrate: (taken) => {
      if (taken.id === 'taken') throw new OrderError('ID_TAKEN', 'migration taken exists already');
      orders.push(taken);
      return 'm1';
    },
    predict: () => assert.fail(),
    abort: (id) => void aborted.push(id),
    migrations: () => [startStub({ id: 'm1', policy: 'stub', atMilliseconds: 0 })],
    hosts: () => [],
  };
  openDesk({ bus, brain, log: silentLog, policy: 'adaptive', mode });
  const ask = async (verb: string, body: unknown): Promise<Reply> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await bus.request(`ferryman.v1.op.${verb}`, new TextEncoder().encode(text), 100);
    return JSON.parse(new TextDecoder().decode(reply)) as Reply;
  };
  return { ask, orders, aborted };
}

const { policy: _, objective: __, ...shortOrder } = order;

describe('brain/order-desk', () => {
  it('fills in the policy and the objective', async () => {
    const { ask, orders } = desk();
    const reply = await ask('migrate', { ...shortOrder, objective: { maxThrottlePercent: 40 } });
    assert.deepEqual(reply, { ok: true, id: 'm1' });
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

  it('migrates nothing unless the brain may act', async () => {
    const { ask, orders } = desk('advise');
    const reply = await ask('migrate', shortOrder);
    assert.equal(reply['code'], 'REFUSED');
    assert.equal(orders.length, 0);
  });

  it('aborts and lists', async () => {
    const { ask, aborted } = desk();
    assert.deepEqual(await ask('abort', { id: 'm1' }), { ok: true });
    assert.deepEqual(aborted, ['m1']);
    const { migrations } = await ask('list', '');
    assert.deepEqual(migrations, [{ id: 'm1', policy: 'stub', phase: 'observed' }]);
  });
});
