/** What brains share, on a real nats-server. */
import assert from 'node:assert/strict';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import { openStateStore, type StateStore } from '../../shared/state-store.ts';
import { startBus, type RestartableBus } from './bus.ts';
import { createStage, until } from './support.ts';

const text = (value: string) => new TextEncoder().encode(value);

describe('the state that brains share', () => {
  const stage = createStage();
  before(function () {
    if (!isExecutable(tools().natsServer)) this.skip();
  });
  afterEach(() => stage.clear());

  async function open({ url }: RestartableBus): Promise<StateStore> {
    const store = await openStateStore({ url, name: 'brain' });
    assert.ok(store);
    stage.undo(() => store.close());
    return store;
  }

  it('is changed only by who has seen it last, and outlives the server', async () => {
    const bus = await startBus(stage, { hasStreams: true });
    const [one, two] = [await open(bus), await open(bus)];
    assert.deepEqual([await one.get('leader'), await one.list('')], [undefined, []]);
    const first = await one.put('leader', text('one'), 0);
    assert.ok(first);
    assert.equal(await two.put('leader', text('two'), 0), undefined);
    const second = await two.put('leader', text('two'), first);
    assert.equal(await one.put('leader', text('one'), first), undefined);
    assert.equal((await one.get('leader'))?.revision, second);
    await one.put('hold.a', text('a'));
    await one.put('hold.b', text('b'));
    await two.remove('hold.a');
    await two.remove('hold.never');
    await bus.kill();
    await assert.rejects(one.get('leader'));
    await bus.start();
    // Each connects again in its own time, and neither waits for an answer longer than 400 ms.
    await until('both have it again', async () => {
      const seen = [one, two].map((store) => store.list('hold.').catch(() => []));
      return (await Promise.all(seen)).every((held) => held.length > 0);
    });
    assert.deepEqual(
      (await two.list('hold.')).map(({ key }) => key),
      ['hold.b'],
    );
    const leader = await one.get('leader');
    assert.equal(new TextDecoder().decode(leader?.payload), 'two');
    assert.ok(Math.abs((leader?.atMilliseconds ?? 0) - Date.now()) < 60_000);
  });

  it('is nowhere on a server without JetStream', async () => {
    const { url } = await startBus(stage);
    assert.equal(await openStateStore({ url, name: 'brain' }), undefined);
  });
});
