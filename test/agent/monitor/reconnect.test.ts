import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import { keepOpen, retryDelayMilliseconds } from '../../../agent/monitor/reconnect.ts';
import { fakeQmp } from '../../fakes/qmp-server.ts';

describe('retryDelayMilliseconds', () => {
  it('grows, never falls below a second after the first few, and comes back within two', () => {
    const delays = [1, 2, 3, 4, 5, 100].map((failures) =>
      retryDelayMilliseconds(failures, () => 0),
    );
    assert.deepEqual(
      delays,
      [...delays].sort((left, right) => left - right),
    );
    assert((delays[3] ?? 0) > 1000);
    assert(retryDelayMilliseconds(1000, () => 1) < 2000);
  });
});

describe('keepOpen', () => {
  it('opens again after a loss, and not any more once stopped', async () => {
    const server = await fakeQmp({ answer: () => ({ return: {} }) });
    let opened = 0;
    const keeper = keepOpen({
      open: () => openQmp(server.path),
      onOpen: () => {
        opened++;
        if (opened === 1) server.disconnect();
      },
      random: () => 0,
    });
    while (opened < 2) await sleep(5);
    keeper.stop();
    await sleep(20);
    const { connections } = server;
    await server.stop();
    assert.equal(connections, 2);
  });

  it('does not spin on a server that closes at once', async () => {
    const server = await fakeQmp({ answer: () => 'close' });
    const failures: Error[] = [];
    const keeper = keepOpen({
      open: () => openQmp(server.path),
      onOpen: () => assert.fail('cannot open'),
      onFailure: (reason) => failures.push(reason),
      random: () => 0,
    });
    while (failures.length === 0) await sleep(5);
    await sleep(300);
    keeper.stop();
    await server.stop();
    assert(failures.length <= 2, String(failures.length));
    assert.match(failures[0]?.message ?? '', /qmp_capabilities did not succeed/);
  });
});
