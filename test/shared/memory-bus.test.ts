import assert from 'node:assert/strict';
import { memoryBroker } from '../../shared/memory-bus.ts';
import { describeBus } from './bus-contract.ts';

describe('shared/memory-bus', () => {
  describeBus(() => {
    const broker = memoryBroker();
    return Promise.resolve([broker.connect(), broker.connect()]);
  });

  it('cuts one client off and keeps its subscriptions', async () => {
    const broker = memoryBroker();
    const [near, far] = [broker.connect(), broker.connect()];
    const heard: string[] = [];
    far.subscribe('a', (subject) => heard.push(subject));
    far.setConnected(false);
    assert.equal(far.connected, false);
    assert.equal(near.publish('a', new Uint8Array()), true);
    await Promise.resolve();
    assert.deepEqual(heard, []);
    far.setConnected(true);
    near.publish('a', new Uint8Array());
    await Promise.resolve();
    assert.deepEqual(heard, ['a']);
  });
});
