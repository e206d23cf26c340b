import assert from 'node:assert/strict';
import { createOutbox } from '../../../agent/outbox/outbox.ts';
import { decodeTelemetry, encodeTelemetry } from '../../../shared/codec.ts';
import { silentLog } from '../../../shared/log.ts';
import { memoryBroker } from '../../../shared/memory-bus.ts';
import type { Telemetry } from '../../../shared/telemetry.ts';
import { activeSample, hostSample as sampleOfHost } from '../../brain/core/support.ts';

describe('outbox', () => {
  function board(ring: { ringMilliseconds?: number; ringBytes?: number } = {}) {
    const broker = memoryBroker();
    const bus = broker.connect();
    const live: Telemetry[] = [];
    const replayed: Telemetry[] = [];
    broker.connect().subscribe('ferryman.v1.tel.h.>', (subject, payload) => {
      (subject.endsWith('.replay') ? replayed : live).push(decodeTelemetry(payload));
    });
    const now = { milliseconds: 0 };
    const clock = {
      wallMilliseconds: () => 1e12 + now.milliseconds,
      monotonicMilliseconds: () => now.milliseconds,
    };
    const log = silentLog;
    const outbox = createOutbox({ bus, host: 'h', agentBoot: 'b', clock, log, ...ring });
    const pass = (milliseconds: number): void => {
      now.milliseconds += milliseconds;
    };
    const say = (message: string): void => {
      pass(1000);
      outbox.publish({ kind: 'alert', message });
    };
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    return { bus, live, replayed, outbox, pass, say, settle };
  }
  const messages = (heard: readonly Telemetry[]): string[] =>
    heard.map(({ body }) => (body.kind === 'alert' ? body.message : body.kind));

  it('numbers what it sends, without a gap', async () => {
    const { live, say, settle } = board();
    for (const message of ['a', 'b', 'c']) say(message);
    await settle();
    assert.deepEqual(
      live.map(({ header }) => header.sequence),
      [1, 2, 3],
    );
  });

  it('sends what is not urgent soon, together, and before what is', async () => {
    const { live, outbox, settle } = board();
    const soon = (message: string): void => {
      outbox.publishSoon({ kind: 'alert', message }, outbox.stamp());
    };
    soon('a');
    soon('b');
    await settle();
    assert.deepEqual(messages(live), []);
    outbox.publish({ kind: 'alert', message: 'at once' });
    await settle();
    assert.deepEqual(messages(live), ['a', 'b', 'at once']);
    soon('c');
    for (let turns = 0; live.length < 4 && turns < 1e6; turns++) await settle();
    assert.deepEqual(messages(live).slice(3), ['c']);
    assert.deepEqual(
      live.map(({ header }) => header.sequence),
      [1, 2, 3, 4],
    );
  });

  it('replays what the bus missed, in order, with original numbers and times', async () => {
    const { bus, live, replayed, say, settle } = board();
    bus.setConnected(false);
    for (const message of ['a', 'b']) say(message);
    bus.setConnected(true);
    say('c');
    await settle();
    assert.deepEqual(messages(replayed), ['a', 'b']);
    assert.deepEqual(
      replayed.map(({ header }) => [header.sequence, header.agentMilliseconds]),
      [
        [1, 1000],
        [2, 2000],
      ],
    );
    assert.deepEqual(messages(live), ['c']);
  });

  it('sends again what was under way when the bus went away, not what came before', async () => {
    const { bus, replayed, say, settle } = board();
    const all = Array.from({ length: 30 }, (_, index) => `m${index}`);
    for (const message of all) say(message);
    bus.setConnected(false);
    say('missed');
    bus.setConnected(true);
    await settle();
    const again = messages(replayed);
    assert.deepEqual(again, [...all, 'missed'].slice(-again.length));
    assert.ok(again.length > 15 && again.length < 25, `${again.length} were sent again`);
  });

  it('counts no message as lost that had been sent', () => {
    const { bus, outbox, say } = board({ ringMilliseconds: 2500 });
    for (const message of ['a', 'b', 'c', 'd', 'e']) say(message);
    bus.setConnected(false);
    for (const message of ['f', 'g', 'h']) say(message);
    assert.equal(outbox.dropped, 0);
  });

  it('drops the oldest when an outage lasts too long, and says how many', async () => {
    const { bus, live, replayed, outbox, say, settle } = board({ ringMilliseconds: 2500 });
    bus.setConnected(false);
    for (const message of ['a', 'b', 'c', 'd', 'e']) say(message);
    assert.equal(outbox.dropped, 2);
    bus.setConnected(true);
    await settle();
    assert.deepEqual(messages(replayed), ['c', 'd', 'e']);
    assert.match(messages(live)[0] ?? '', /2 messages were lost/);
  });

  it('never keeps more than its bytes', () => {
    const { bus, outbox, say } = board({ ringBytes: 5000 });
    bus.setConnected(false);
    for (let count = 0; count < 30; count += 1) say('x'.repeat(1000));
    assert.ok(outbox.dropped >= 25);
  });

  const hostSample = sampleOfHost({
    nics: ['eth0', 'eth1', 'bond0'].map((name) => ({
      ...{ name, receivedBytesPerSecond: 1e9 / 3, sentBytesPerSecond: 1e9 / 7 },
      speedBytesPerSecond: 1.25e9,
    })),
  });

  it('keeps ten minutes of twenty VMs of which two migrate, in less than its bounds', async () => {
    const { bus, replayed, outbox, pass, settle } = board();
    bus.setConnected(false);
    const vm = (index: number) => ({
      ...{ host: 'h', agentBoot: '8a3c6f0e-0000-4000-8000-000000000001' },
      ...{ qemuPid: 100_000 + index, uuid: `8a3c6f0e-0000-4000-8000-${10 ** 11 + index}` },
    });
    const vms = Array.from({ length: 20 }, (_, index) => vm(index));
    const rates = { blockBytesPerSecond: 1e7 / 3, blockOperationsPerSecond: 1e3 / 3 };
    const activity = { vcpuBusyShare: 1 / 3, ...rates };
    const moving = activeSample({ transferredBytes: 2 ** 40, normalBytes: 2 ** 40 });
    for (let second = 0; second < 599; second += 1) {
      pass(1000);
      outbox.publish({ kind: 'host', sample: hostSample });
      for (const [index, ref] of vms.entries()) {
        outbox.publish({ kind: 'activity', ref, activity });
        const looks = index < 2 ? 10 : 1;
        for (let look = 0; look < looks; look += 1) {
          outbox.publish({ kind: 'migration', ref, sample: moving });
        }
      }
    }
    assert.equal(outbox.dropped, 0);
    bus.setConnected(true);
    await settle();
    assert.equal(replayed.length, 599 * (1 + 20 + 20 + 18));
    const bytes = replayed.reduce((sum, message) => sum + encodeTelemetry(message).length, 0);
    assert.ok(bytes > 4e6 && bytes < 12e6, `${bytes} bytes`);
  });

  it('survives a message that cannot be encoded', async () => {
    const { live, outbox, say, settle } = board();
    outbox.publish({ kind: 'alert', message: 'x'.repeat(1e6) });
    say('after');
    await settle();
    assert.deepEqual(messages(live), ['after']);
  });
});
