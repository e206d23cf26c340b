import assert from 'node:assert/strict';
import type { Listener } from '../../brain/listeners.ts';
import type { Clock } from '../../shared/clock.ts';
import { encodeTelemetry } from '../../shared/codec.ts';
import type { Telemetry } from '../../shared/telemetry.ts';
import { agentAhead, factsOf, order, sampleOf, settle } from './fixtures.ts';
import { openHouse, closeHouses } from './house.ts';

/** Fresh news of the source that would matter, were it believed. */
function failureAt(clock: Clock): Telemetry {
  return {
    header: {
      host: 'h1',
      agentBoot: 'boot-1',
      sequence: 50,
      atMilliseconds: clock.wallMilliseconds(),
      agentMilliseconds: clock.monotonicMilliseconds() + agentAhead,
    },
    body: { kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('failed') },
  };
}

describe('brain/fleet', () => {
  afterEach(closeHouses);

  it('drops what is repeated or older than three periods, and counts what was lost', async () => {
    const { brain, source, clock, inputs } = await openHouse();
    brain.migrate(order);
    const { ref } = factsOf('h1');
    const agentNow = clock.monotonicMilliseconds() + agentAhead;
    clock.advance(1_400);
    source.say(
      { kind: 'migration', ref, sample: sampleOf('active') },
      { agentMilliseconds: agentNow },
    );
    source.say(
      { kind: 'migration', ref, sample: sampleOf('device') },
      { agentMilliseconds: agentNow - 200 },
    );
    source.say({ kind: 'migration', ref, sample: sampleOf('completed') }, { skip: -1 });
    source.say({ kind: 'migration', ref, sample: sampleOf('active') }, { skip: 4 });
    await settle();
    assert.deepEqual(
      inputs().flatMap((input) => (input.kind === 'sample' ? input.sample.status : [])),
      ['active', 'active'],
    );
    const view = brain.hosts().find(({ host }) => host === 'h1');
    assert.equal(view?.lostMessages, 4);
    assert.equal(view.staleMessages, 1);
  });

  it('keeps the spacing that samples had at the agent, whatever the delay', async () => {
    const { brain, source, clock, inputs } = await openHouse();
    brain.migrate(order);
    const { ref } = factsOf('h1');
    for (const delay of [40, 0, 90]) {
      clock.advance(100);
      const agentMilliseconds = clock.monotonicMilliseconds() + agentAhead - delay;
      source.say({ kind: 'migration', ref, sample: sampleOf('active') }, { agentMilliseconds });
    }
    await settle();
    const times = inputs().flatMap((input) =>
      input.kind === 'sample' ? input.atMilliseconds : [],
    );
    const opened = inputs()[0]?.atMilliseconds ?? NaN;
    assert.deepEqual(
      times.map((time) => time - opened),
      [60, 200, 210],
    );
  });

  it('keeps the status of a VM up with its samples', async () => {
    const { brain, source } = await openHouse();
    const { ref } = factsOf('h1');
    source.say({ kind: 'migration', ref, sample: sampleOf('active') });
    await settle();
    const [vm] = brain.hosts().find(({ host }) => host === 'h1')?.vms ?? [];
    assert.equal(vm?.migrationStatus, 'active');
  });

  it('believes a host only about itself', async () => {
    const { brain, broker, clock, kinds } = await openHouse();
    brain.migrate(order);
    const payload = encodeTelemetry(failureAt(clock));
    broker.connect().publish('ferryman.v1.tel.h3', payload);
    broker.connect().publish('ferryman.v1.tel.h1', new Uint8Array([255, 1, 2]));
    await settle();
    assert.equal(kinds().at(-1), 'order');
  });

  it('keeps replayed telemetry from control and hands it to the listeners', async () => {
    const heard: string[] = [];
    const listener: Listener = { onTelemetry: ({ body }) => heard.push(body.kind) };
    const { brain, broker, clock, kinds } = await openHouse({ listeners: [listener] });
    brain.migrate(order);
    const payload = encodeTelemetry(failureAt(clock));
    broker.connect().publish('ferryman.v1.tel.h1.replay', payload);
    await settle();
    assert.equal(kinds().at(-1), 'order');
    assert.equal(heard.at(-1), 'migration');
  });
});
