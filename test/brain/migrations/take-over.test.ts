import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createChair } from '../../../brain/leadership/chair.ts';
import type { Input } from '../../../brain/core/input.ts';
import { createBrain } from '../../../brain/service.ts';
import type { Brain } from '../../../brain/service.ts';
import { silentLog } from '../../../shared/log.ts';
import { memoryBroker } from '../../../shared/memory-bus.ts';
import { keyOf, keptSubject } from '../../../shared/subjects.ts';
import { factsOf, heldClock, order, sampleOf, settle, startStub, stubAgent } from '../fixtures.ts';
import { stubCore, uuid } from '../fixtures.ts';
import type { Decide } from '../fixtures.ts';
import { memoryStore } from '../memory-store.ts';

/** Decides once, on the order. */
const decide: Decide = (input) =>
  input.kind === 'order' ? [{ side: 'source', operation: { kind: 'cancel' } }] : [];

describe('brain: one after the other', () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });

  /** Two hosts, and brains that share a store by way of the bus. */
  async function board() {
    const broker = memoryBroker();
    const clock = heldClock();
    const store = memoryStore(clock.wallMilliseconds);
    broker.connect().subscribe(keptSubject('>'), (subject, payload) => {
      void store.put(keyOf(subject), payload);
    });
    const [source, destination] = [stubAgent(broker, 'h1', clock), stubAgent(broker, 'h2', clock)];
    const brainOf = async (name: string, wallAheadMilliseconds = 0) => {
      const wallMilliseconds = () => clock.wallMilliseconds() + wallAheadMilliseconds;
      const ownClock = { ...clock, wallMilliseconds };
      const bus = broker.connect();
      const core = stubCore(decide);
      const chair = createChair({ bus, store, clock: ownClock, log: silentLog, brain: name });
      const brain = createBrain({
        ...{ bus, clock: ownClock, log: silentLog, name, reduce: core.reduce, start: startStub },
        ...{ epoch: chair.epoch, keeper: chair.keeper },
      });
      const changes: boolean[] = [];
      brain.start();
      chair.start({ ...brain, onLead: (leads) => void changes.push(leads) });
      endings.push(
        () => {
          brain.stop();
        },
        () => chair.stop(),
      );
      await settle();
      await settle();
      const step = () => sleep(500);
      return { brain, chair, changes, inputs: core.inputs, step };
    };
    const attach = async () => {
      source.say({ kind: 'attach', facts: factsOf('h1') });
      destination.say({ kind: 'attach', facts: factsOf('h2', { runState: 'inmigrate' }) });
      await settle();
    };
    return { clock, store, source, brainOf, attach };
  }
  const rejoinOf = (inputs: readonly Input[]) => inputs.find((input) => input.kind === 'rejoin');

  it('holds outlive the brain, and all brains agree on them', async () => {
    const { brainOf, attach } = await board();
    const first = await brainOf('one');
    await attach();
    assert.equal(await first.brain.hold(uuid, 'asked "for"\nby \\ 日本'), true);
    assert.equal(await first.brain.hold('another', 'too'), true);
    first.brain.release('another');
    await first.chair.stop();
    const second = await brainOf('two');
    await attach();
    assert.deepEqual([...second.brain.held()], [[uuid, 'asked "for"\nby \\ 日本']]);
    assert.throws(() => second.brain.migrate(order), { code: 'VM_HELD' });
  });

  it('a migration goes on where the first brain had to leave off', async () => {
    const { brainOf, attach, source } = await board();
    const first = await brainOf('one');
    await attach();
    const id = first.brain.migrate(order);
    await settle();
    await first.chair.stop();
    const second = await brainOf('two');
    assert.deepEqual(second.changes, [true]);
    await attach();
    const [migration] = second.brain.migrations();
    assert.equal(migration?.id, id);
    assert.equal(migration.policy, order.policy);
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('completed') });
    await settle();
    assert.equal(second.brain.migrations()[0]?.phase, 'settled');
    await second.chair.stop();
    const third = await brainOf('three');
    assert.equal(third.brain.migrations()[0]?.result?.outcome, 'completed');
    assert.deepEqual(third.inputs, []);
  });

  it('what a server has lost is kept once more by the brain that still knows it', async () => {
    const { brainOf, attach, store } = await board();
    const first = await brainOf('one');
    await attach();
    await first.brain.hold(uuid, 'asked for');
    store.lose();
    await first.step();
    await settle();
    assert.deepEqual(
      (await store.list('hold.')).map(({ key }) => key),
      [`hold.${uuid}`],
    );
  });

  it('no two clocks need to agree', async () => {
    const { brainOf, attach, clock } = await board();
    const first = await brainOf('one', 3_600_000);
    await attach();
    first.brain.migrate(order);
    const [before] = first.brain.migrations();
    await settle();
    await first.chair.stop();
    clock.advance(700);
    const second = await brainOf('two');
    const rejoin = rejoinOf(second.inputs);
    assert.ok(rejoin?.kind === 'rejoin' && before);
    assert.equal(Math.round(rejoin.atMilliseconds - before.nowMilliseconds), 700);
  });

  it('who does not lead is asked in vain, keeps nothing and follows nobody', async () => {
    const { brainOf, attach, store } = await board();
    await brainOf('one');
    const { brain, changes }: { brain: Brain; changes: readonly boolean[] } = await brainOf('two');
    await attach();
    assert.deepEqual(changes, []);
    assert.equal(await brain.hold(uuid, 'x'), false);
    assert.deepEqual(await store.list('hold.'), []);
    const refused = { code: 'NO_DESTINATION', message: /does not lead/ };
    await assert.rejects(brain.startDestination('h1', uuid), refused);
  });

  it('what cannot be understood is left out', async () => {
    const { brainOf, store } = await board();
    const text = (value: string) => new TextEncoder().encode(value);
    await store.put('hold.x', text('{'));
    await store.put('migration.x', text('{"format":2}'));
    const { brain } = await brainOf('one');
    assert.deepEqual([brain.held().size, brain.migrations().length], [0, 0]);
  });
});
