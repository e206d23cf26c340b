import assert from 'node:assert/strict';
import { defaultObjective } from '../../../shared/objective.ts';
import { closeHouses, openHouse } from '../house.ts';
import { factsOf, sampleOf, settle } from '../fixtures.ts';
import { activeSample, plainArming } from '../core/support.ts';

const following = () => ({ mode: 'act', policy: 'stub', objective: defaultObjective }) as const;
const { ref } = factsOf('h1');
const foreign = factsOf('h1', { migrationStatus: 'active', foreignArming: plainArming });
const moving = { kind: 'migration', ref, sample: activeSample() } as const;

describe('brain/migrations/following', () => {
  afterEach(closeHouses);

  it('takes in hand what somebody else has started, once', async () => {
    const house = await openHouse({ following });
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say(moving);
    house.source.say(moving);
    await settle();
    assert.deepEqual(house.kinds(), ['attach', 'link', 'order', 'sample', 'sample']);
    const order = house.inputs().find(({ kind }) => kind === 'order');
    assert.ok(order?.kind === 'order' && order.order.verb === 'follow');
    assert.equal(order.order.mode, 'act');
    assert.equal(house.brain.migrations().length, 1);
  });

  it('passes over what ferryman started, what is at rest and what comes in', async () => {
    const house = await openHouse({ following });
    house.source.say(moving);
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say({ kind: 'migration', ref, sample: sampleOf('setup') });
    house.source.say({ ...moving, ref: { ...ref, qemuPid: 999 } });
    house.destination.say({ ...moving, ref: factsOf('h2').ref });
    await settle();
    assert.deepEqual(house.brain.migrations(), []);
  });

  it('does not take what is over in hand once more', async () => {
    const house = await openHouse({ following });
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say({ ...moving, sample: activeSample({}, { status: 'completed' }) });
    await settle();
    assert.deepEqual(house.brain.migrations(), []);
  });

  const coming = {
    kind: 'event',
    name: 'INCOMING',
    ref: { ...ref, host: 'h2', qemuPid: 0 },
    detail: { monitor: 'libvirt:it' },
  } as const;

  it('knows where it leads when that host has said so before', async () => {
    const house = await openHouse({ following });
    house.destination.say(coming);
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say(moving);
    await settle();
    const attached = house.inputs().filter((input) => input.kind === 'attach');
    assert.deepEqual(
      attached.map(({ side, facts }) => [side, facts.ref.host, facts.runState]),
      [
        ['source', 'h1', 'running'],
        ['destination', 'h2', 'inmigrate'],
      ],
    );
  });

  it('learns where it leads when that host says so afterwards, once', async () => {
    const house = await openHouse({ following });
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say(moving);
    house.destination.say(coming);
    house.destination.say(coming);
    const facts = factsOf('h2', { monitor: 'libvirt:it' });
    house.destination.say({ kind: 'attach', facts });
    await settle();
    const attached = house.inputs().filter((input) => input.kind === 'attach');
    assert.deepEqual(
      attached.map(({ side, facts: { ref: to, runState } }) => [side, to.host, runState]),
      [
        ['source', 'h1', 'running'],
        ['destination', 'h2', 'inmigrate'],
        ['destination', 'h2', 'running'],
      ],
    );
  });

  it('forgets a host to which it does not come any more', async () => {
    const house = await openHouse({ following });
    house.destination.say(coming);
    house.destination.say({ ...coming, name: 'NOT_INCOMING' });
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say(moving);
    await settle();
    assert.ok(house.inputs().every((input) => input.kind !== 'attach' || input.side === 'source'));
  });

  it('follows nothing unless it is told to', async () => {
    const house = await openHouse();
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say(moving);
    await settle();
    assert.deepEqual(house.brain.migrations(), []);
  });
});
