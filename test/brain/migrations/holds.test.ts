import assert from 'node:assert/strict';
import { factsOf, order, settle, uuid } from '../fixtures.ts';
import { closeHouses, openHouse } from '../house.ts';

describe('brain/migrations/holds', () => {
  afterEach(closeHouses);

  it('turn orders for the VM down until it is released', async () => {
    const { brain } = await openHouse();
    assert.equal(await brain.hold(uuid, 'asked for'), false, 'nothing keeps it');
    assert.throws(() => brain.migrate(order), { code: 'VM_HELD', message: /asked for/ });
    assert.equal(brain.release(uuid), true);
    assert.equal(brain.release(uuid), false);
    assert.ok(brain.migrate(order));
  });

  it('reach the migration that is under way, as an order that is recorded like any other', async () => {
    const { brain, inputs } = await openHouse();
    brain.migrate(order);
    await brain.hold('another', 'not this one');
    await brain.hold(uuid, 'asked for');
    brain.release(uuid);
    const orders = inputs().flatMap((input) => (input.kind === 'order' ? input.order : []));
    assert.deepEqual(orders.slice(1), [{ verb: 'hold', reason: 'asked for' }, { verb: 'release' }]);
  });
});

describe('brain/desk/destination', () => {
  afterEach(closeHouses);

  it('has the host start a QEMU, and says of the VM only its UUID', async () => {
    const facts = factsOf('h1', { runState: 'inmigrate' });
    const { brain, source } = await openHouse({ answer: () => ({ facts }) });
    assert.deepEqual(await brain.startDestination('h1', uuid), facts);
    const [command] = source.commands;
    assert.deepEqual(command?.target, { host: 'h1', agentBoot: 'boot-1', qemuPid: 0, uuid });
    assert.deepEqual(command.operation, { kind: 'start-destination', family: 'plain' });
  });

  it('hands on why none was started', async () => {
    const refusal = { outcome: 'refused', reason: 'no destinationCommand' } as const;
    const { brain } = await openHouse({ answer: () => refusal });
    const refused = { code: 'NO_DESTINATION', message: /h1.*no destinationCommand/ };
    await assert.rejects(brain.startDestination('h1', uuid), refused);
    await assert.rejects(brain.startDestination('h9', uuid), { code: 'NO_DESTINATION' });
    await settle();
  });
});
