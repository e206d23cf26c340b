import assert from 'node:assert/strict';
import { defaultObjective } from '../../shared/objective.ts';
import { closeHouses, openHouse } from './house.ts';
import { factsOf, sampleOf, settle } from './fixtures.ts';
import { activeSample, plainArming } from './core/support.ts';

const following = () => ({ mode: 'act', policy: 'stub', objective: defaultObjective }) as const;
const { ref } = factsOf('h1');
const foreign = factsOf('h1', { migrationStatus: 'active', foreignArming: plainArming });
const moving = { kind: 'migration', ref, sample: activeSample() } as const;

describe('brain/following', () => {
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

  it('follows nothing unless it is told to', async () => {
    const house = await openHouse();
    house.source.say({ kind: 'attach', facts: foreign });
    house.source.say(moving);
    await settle();
    assert.deepEqual(house.brain.migrations(), []);
  });
});
