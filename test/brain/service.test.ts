import assert from 'node:assert/strict';
import type { Listener } from '../../brain/listeners.ts';
import { decodeBeacon } from '../../shared/codec.ts';
import { factsOf, order, sampleOf, settle } from './fixtures.ts';
import type { Decide } from './fixtures.ts';
import { openHouse, closeHouses } from './house.ts';

/** Cancels at once: a decision is all that these tests need. */
const cancelOnOrder: Decide = (input) =>
  input.kind === 'order' && input.order.verb === 'migrate'
    ? [{ side: 'source', operation: { kind: 'cancel' } }]
    : [];

describe('brain/service', () => {
  afterEach(closeHouses);

  it('sends a decision as one command and feeds the answer back', async () => {
    const { brain, source, clock, inputs } = await openHouse({ decide: cancelOnOrder });
    const id = brain.migrate(order);
    await settle();
    const [command, ...others] = source.commands;
    assert.ok(command);
    assert.equal(others.length, 0);
    assert.equal(command.id, `${id}.1`);
    assert.equal(command.epoch, 7);
    assert.deepEqual(command.target, factsOf('h1').ref);
    assert.equal(command.expiresAtAgentMilliseconds, clock.monotonicMilliseconds() + 80_000);
    const result = inputs().find((input) => input.kind === 'result');
    assert.equal(result?.decision, 1);
    assert.equal(result.result.outcome, 'applied');
  });

  it('hears the last answer when it retires, and sends nothing any more', async () => {
    const decide: Decide = (input, migration) => {
      const isFirstAnswer = input.kind === 'result' && input.decision === 1;
      if (isFirstAnswer) return [{ side: 'source', operation: { kind: 'restore' } }];
      return cancelOnOrder(input, migration);
    };
    const { brain, source, inputs } = await openHouse({ decide });
    brain.migrate(order);
    await brain.retire();
    await settle();
    assert.deepEqual(
      source.commands.map(({ operation }) => operation.kind),
      ['cancel'],
    );
    const [first, second] = inputs().flatMap((input) =>
      input.kind === 'result' ? input.result : [],
    );
    assert.equal(first?.outcome, 'applied');
    assert.deepEqual(
      [second?.outcome, second?.reason],
      ['failed', 'this brain is stopping; nothing was sent'],
    );
  });

  it('numbers the commands to a VM upwards', async () => {
    const twice: Decide = (input, migration) => [
      ...cancelOnOrder(input, migration),
      ...cancelOnOrder(input, migration),
    ];
    const { brain, source } = await openHouse({ decide: twice });
    brain.migrate(order);
    await settle();
    const [first, second] = source.commands.map(({ sequence }) => sequence);
    assert.ok(first !== undefined && second !== undefined && second > first);
  });

  it('says failed when no agent answers, and indeterminate for an answer to something else', async () => {
    const confused = await openHouse({ decide: cancelOnOrder, answer: () => ({ id: 'other.1' }) });
    confused.brain.migrate(order);
    const away = await openHouse({ decide: cancelOnOrder });
    away.source.bus.setConnected(false);
    away.brain.migrate(order);
    const cut = await openHouse({ decide: cancelOnOrder });
    cut.bus.setConnected(false);
    cut.brain.migrate(order);
    await settle();
    const outcomes = [confused, away, cut].map(
      ({ inputs }) => inputs().find((input) => input.kind === 'result')?.result.outcome,
    );
    assert.deepEqual(outcomes, ['indeterminate', 'failed', 'failed']);
  });

  it('is not disturbed by a listener that throws', async () => {
    const settled: string[] = [];
    const broken: Listener = {
      onInput: () => {
        throw new Error('history is down');
      },
    };
    const listener: Listener = { onSettled: (_, { outcome }) => settled.push(outcome) };
    const { brain, source } = await openHouse({ listeners: [broken, listener] });
    brain.migrate(order);
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('completed') });
    await settle();
    assert.deepEqual(settled, ['completed']);
    assert.equal(brain.migrations()[0]?.phase, 'settled');
  });

  it('skips an input on which the core fails', async () => {
    const decide: Decide = (input) => {
      if (input.kind === 'activity') throw new Error('bug');
      return [];
    };
    const { brain, source, kinds } = await openHouse({ decide });
    brain.migrate(order);
    const activity = { vcpuBusyShare: 1, blockBytesPerSecond: 0, blockOperationsPerSecond: 0 };
    source.say({ kind: 'activity', ref: factsOf('h1').ref, activity });
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('active') });
    await settle();
    assert.equal(kinds().at(-1), 'sample');
  });

  it('ticks migrations that hear nothing, and sends the beacon', async () => {
    const { brain, broker, clock, ticks } = await openHouse();
    const epochs: number[] = [];
    broker.connect().subscribe('ferryman.v1.lead.>', (_, payload) => {
      epochs.push(decodeBeacon(payload).epoch);
    });
    brain.migrate(order);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(ticks(), 0);
    clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(ticks(), 1);
    assert.ok(epochs.includes(7));
  });
});
