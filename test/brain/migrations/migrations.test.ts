import assert from 'node:assert/strict';
import { agentAhead, factsOf, hostSample, order, sampleOf, settle, uuid } from '../fixtures.ts';
import type { Decide } from '../fixtures.ts';
import { openHouse, closeHouses } from '../house.ts';

const startDestination = { kind: 'start-destination', family: 'plain' } as const;

describe('brain/migrations/migrations', () => {
  afterEach(closeHouses);

  it('opens with both VMs, hosts that have spoken, the link and the order', async () => {
    const { brain, source, kinds, inputs } = await openHouse();
    source.say({ kind: 'host', sample: hostSample });
    await settle();
    brain.migrate(order);
    assert.deepEqual(kinds(), ['attach', 'host', 'attach', 'link', 'order']);
    const last = inputs().at(-1);
    assert.ok(last?.kind === 'order' && last.order.verb === 'migrate');
    assert.deepEqual(last.order.endpoint, order.endpoint);
  });

  it('routes samples by side, and those of strangers nowhere', async () => {
    const { brain, source, destination, inputs } = await openHouse();
    brain.migrate(order);
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('active') });
    destination.say({ kind: 'migration', ref: factsOf('h2').ref, sample: sampleOf('setup') });
    const stranger = { ...factsOf('h1').ref, qemuPid: 999 };
    source.say({ kind: 'migration', ref: stranger, sample: sampleOf('failed') });
    await settle();
    const samples = inputs().filter((input) => input.kind === 'sample');
    assert.deepEqual(
      samples.map(({ side, sample }) => [side, sample.status]),
      [
        ['source', 'active'],
        ['destination', 'setup'],
      ],
    );
  });

  it('follows a destination that is started anew on the same monitor', async () => {
    const { brain, destination, kinds } = await openHouse();
    brain.migrate(order);
    const fresh = factsOf('h2', { ref: { ...factsOf('h2').ref, qemuPid: 200 } });
    destination.say({ kind: 'detach', ref: factsOf('h2').ref, reason: 'gone' });
    destination.say({ kind: 'attach', facts: fresh });
    destination.say({ kind: 'migration', ref: fresh.ref, sample: sampleOf('setup') });
    await settle();
    assert.deepEqual(kinds().slice(-3), ['detach', 'attach', 'sample']);
  });

  it('takes the destination that a command brought up, before its telemetry comes', async () => {
    const fresh = factsOf('h1', { ref: { ...factsOf('h1').ref, qemuPid: 200 } });
    const decide: Decide = (input) => {
      if (input.kind === 'order') return [{ side: 'source', operation: startDestination }];
      return input.kind === 'result' && input.decision === 1
        ? [{ side: 'source', operation: { kind: 'restore' } }]
        : [];
    };
    const { brain, source } = await openHouse({ decide, answer: () => ({ facts: fresh }) });
    brain.migrate(order);
    await settle();
    assert.deepEqual(
      source.commands.map(({ target }) => target.qemuPid),
      [100, 200],
    );
  });

  it('never lets time run backwards for the core', async () => {
    const { brain, source, clock, inputs } = await openHouse();
    brain.migrate(order);
    const { ref } = factsOf('h1');
    for (const delay of [0, 300]) {
      const agentMilliseconds = clock.monotonicMilliseconds() + agentAhead - delay;
      source.say({ kind: 'migration', ref, sample: sampleOf('active') }, { agentMilliseconds });
    }
    await settle();
    const times = inputs().map(({ atMilliseconds }) => atMilliseconds);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  it('does not take another VM on that monitor for the destination', async () => {
    const { brain, destination, kinds } = await openHouse();
    brain.migrate(order);
    const other = factsOf('h2', { ref: { ...factsOf('h2').ref, uuid: uuid.replace('3', '4') } });
    destination.say({ kind: 'attach', facts: other });
    await settle();
    assert.equal(kinds().at(-1), 'order');
  });

  it('turns down orders that cannot be, saying why', async () => {
    const { brain } = await openHouse();
    const refused = (change: Partial<typeof order>, code: string) => {
      assert.throws(() => brain.migrate({ ...order, ...change }), { code });
    };
    refused({ source: { host: 'h1', selector: 'nobody' } }, 'UNKNOWN_VM');
    refused({ source: { host: 'h9', selector: 'guest' } }, 'UNKNOWN_VM');
    refused({ destination: { host: 'h1', selector: uuid } }, 'SAME_VM');
    const id = brain.migrate(order);
    refused({}, 'VM_BUSY');
    refused({ id }, 'ID_TAKEN');
    assert.throws(
      () => {
        brain.abort('nope', 'x');
      },
      { code: 'UNKNOWN_MIGRATION' },
    );
  });

  it('refuses to send a VM into the QEMU of another', async () => {
    const { brain, destination } = await openHouse();
    const ref = { ...factsOf('h2').ref, uuid: uuid.replace('3', '4') };
    destination.say({ kind: 'attach', facts: factsOf('h2', { ref }) });
    await settle();
    assert.throws(() => brain.migrate(order), { code: 'UUID_MISMATCH' });
  });

  it('passes an abort on to the core', async () => {
    const { brain, inputs } = await openHouse();
    const id = brain.migrate(order);
    brain.abort(id, 'operator');
    const last = inputs().at(-1);
    assert.ok(last?.kind === 'order' && last.order.verb === 'abort');
  });
});
