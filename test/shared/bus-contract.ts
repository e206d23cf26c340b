/** What every bus must do; run against the real one and its twin. */
import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import type { Bus } from '../../shared/bus.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const words = (payload: Uint8Array) => new TextDecoder().decode(payload);
const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

/** `connectTwo` gives two clients of one server. */
export function describeBus(connectTwo: () => Promise<readonly [Bus, Bus]>): void {
  let near: Bus;
  let far: Bus;
  beforeEach(async () => {
    [near, far] = await connectTwo();
  });
  afterEach(async () => {
    await Promise.all([near.close(), far.close()]);
  });

  it('delivers to wildcard subscribers, in order, until they stop', async () => {
    const heard: string[] = [];
    const emitter = new EventEmitter();
    const subscription = far.subscribe('ferryman.v1.tel.>', (subject, payload) => {
      heard.push(`${subject} ${words(payload)}`);
      if (heard.length === 2) emitter.emit('two');
    });
    await tick();
    const two = once(emitter, 'two');
    assert.equal(near.publish('ferryman.v1.tel.h1.migration', bytes('a')), true);
    assert.equal(near.publish('ferryman.v1.cmd.h1', bytes('not for you')), true);
    assert.equal(near.publish('ferryman.v1.tel.h2.host', bytes('b')), true);
    await two;
    assert.deepEqual(heard, ['ferryman.v1.tel.h1.migration a', 'ferryman.v1.tel.h2.host b']);
    subscription.stop();
    await tick();
    near.publish('ferryman.v1.tel.h1.migration', bytes('c'));
    await tick();
    assert.equal(heard.length, 2);
  });

  it('carries a request and its reply', async () => {
    far.serve('ferryman.v1.cmd.h1', (payload) => Promise.resolve(bytes(`re: ${words(payload)}`)));
    await tick();
    const reply = await near.request('ferryman.v1.cmd.h1', bytes('tune'), 2000);
    assert.equal(words(reply), 're: tune');
  });

  it('tells nobody there from nobody answering', async () => {
    far.serve('ferryman.v1.cmd.h1', () => new Promise(() => undefined));
    far.serve('ferryman.v1.cmd.h2', () => Promise.reject(new Error('broken')));
    await tick();
    const ask = (host: string) => near.request(`ferryman.v1.cmd.${host}`, bytes('x'), 100);
    await assert.rejects(ask('h1'), { name: 'BusError', code: 'TIMEOUT' });
    await assert.rejects(ask('h2'), { name: 'BusError', code: 'TIMEOUT' });
    await assert.rejects(ask('h3'), { name: 'BusError', code: 'NO_RESPONDERS' });
  });

  it('says so when a message cannot be sent any more', async () => {
    const changes: boolean[] = [];
    near.onConnectionChange((connected) => changes.push(connected));
    await near.close();
    await tick();
    assert.equal(near.connected, false);
    assert.deepEqual(changes, [false]);
    assert.equal(near.publish('ferryman.v1.tel.h1', bytes('lost')), false);
    const request = near.request('ferryman.v1.cmd.h1', bytes('x'), 100);
    await assert.rejects(request, { code: 'DISCONNECTED' });
  });
}
