import assert from 'node:assert/strict';
import {
  ConnectionLostError,
  ExecuteError,
  TimeoutError,
} from '../../../agent/monitor/qmp/errors.ts';
import { virshCalls } from '../../../agent/monitor/virsh/calls.ts';
import { hearEvents } from '../../../agent/monitor/virsh/events.ts';
import { VirshMonitor } from '../../../agent/monitor/virsh/monitor.ts';
import { openVirsh, type VirshSession } from '../../../agent/monitor/virsh/session.ts';
import {
  answerIn,
  complaintIn,
  jobReader,
  parseEvent,
  quoted,
  type EndedJob,
} from '../../../agent/monitor/virsh/transcript.ts';
import { until } from '../agent-rig.ts';
import { boardVirsh, type VirshRig } from './virsh-rig.ts';

const uuid = 'e6c6eecf-5106-41cd-90ca-b93321d42d13';

describe('what virsh writes', () => {
  const written = "virsh # domstate 'w1'\nrunning\nvirsh # echo ferryman-1\nferryman-1virsh # ";

  it('is an answer without the echo of what was typed, with or without such an echo', () => {
    assert.deepEqual(answerIn(written, "domstate 'w1'", 'ferryman-1'), ['running']);
    const silent = 'virsh # running\nvirsh # ferryman-1virsh # ';
    assert.deepEqual(answerIn(silent, "domstate 'w1'", 'ferryman-1'), ['running']);
  });

  it('is no answer before all of it has come', () => {
    for (let length = 0; length < written.indexOf('\nferryman-1virsh ') + 17; length++) {
      assert.equal(answerIn(written.slice(0, length), "domstate 'w1'", 'ferryman-1'), undefined);
    }
  });

  it('holds complaints of several lines', () => {
    assert.equal(
      complaintIn(['error: Failed to suspend', 'error: Requested operation is not valid']),
      'Failed to suspend Requested operation is not valid',
    );
    assert.equal(complaintIn(['running']), undefined);
  });

  it('holds events, of domains of any name', () => {
    const line = `event MIGRATION at 1795419527.2 for domain 'it''s {"odd"}': x': {"status":"setup"}`;
    assert.deepEqual(parseEvent(line), {
      name: 'MIGRATION',
      domain: `it''s {"odd"}': x`,
      data: { status: 'setup' },
    });
    assert.deepEqual(parseEvent("event STOP at 1795419527.2 for domain 'w1': <null>")?.data, {});
    assert.equal(parseEvent('event loop interrupted'), undefined);
  });

  it('holds migrations that libvirt has ended, with how long the guest stood still', () => {
    const jobs: EndedJob[] = [];
    const read = jobReader((job) => jobs.push(job));
    for (const line of [
      "event 'job-completed' for domain 'w1':",
      ...['\toperation: 5', '\ttime_elapsed: 4570', '\tdowntime: 354', '\tdowntime_net: 352', ''],
      "2026-11-23 08:48:37.225+0000: event 'job-completed' for domain 'it''s: x':",
      ...['\toperation: 5', '\tdowntime: 12'],
    ]) {
      read(line);
    }
    assert.deepEqual(jobs, [
      { domain: 'w1', downtimeMilliseconds: 354 },
      { domain: "it''s: x", downtimeMilliseconds: 12 },
    ]);
  });

  it('is asked for in words that no shell could take apart', () => {
    assert.equal(quoted(`a'b"c;d`), `'a'\\''b"c;d'`);
  });
});

describe('calls to libvirt', () => {
  it('are its own for downtime, and the monitor for what it has not', () => {
    const given = { 'downtime-limit': 300, 'max-bandwidth': 64 * 2 ** 20, 'max-cpu-throttle': 70 };
    assert.deepEqual(virshCalls(uuid, 'migrate-set-parameters', given), [
      { kind: 'own', words: ['migrate-setmaxdowntime', uuid, '300'] },
      {
        kind: 'monitor',
        words: [
          'qemu-monitor-command',
          uuid,
          '{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":67108864,"max-cpu-throttle":70}}',
        ],
      },
    ]);
  });

  it('end a migration by its own abort, so that it knows', () => {
    assert.deepEqual(virshCalls(uuid, 'migrate_cancel', {}), [
      { kind: 'own', words: ['domjobabort', uuid] },
    ]);
  });

  it('never begin one behind its back', () => {
    for (const command of ['migrate', 'migrate-incoming', 'migrate-set-capabilities']) {
      assert.equal(virshCalls(uuid, command, {})[0]?.kind, 'refused');
    }
  });
});

describe('a domain behind virsh', () => {
  let rig: VirshRig;
  let session: VirshSession;
  const answers = (...pairs: readonly (readonly [string, string])[]) => {
    rig.answers(...pairs);
  };

  beforeEach(() => {
    rig = boardVirsh();
    session = openVirsh(rig.libvirt);
  });
  afterEach(() => {
    session.close();
    rig.stop();
  });

  it('answers QMP, refusals of QEMU included', async () => {
    const monitor = new VirshMonitor(session, uuid);
    answers(
      [
        `qemu-monitor-command '${uuid}' '{"execute":"query-status"}'`,
        '{"return":{"status":"running"}}',
      ],
      ['qemu-monitor-command', '{"error":{"class":"CommandNotFound","desc":"no such"}}'],
    );
    assert.deepEqual(await monitor.execute('query-status'), { status: 'running' });
    await assert.rejects(monitor.execute('nonsense'), (error: unknown) => {
      assert.ok(error instanceof ExecuteError);
      assert.equal(error.class, 'CommandNotFound');
      return true;
    });
  });

  it('has ended when libvirt says so', async () => {
    const monitor = new VirshMonitor(session, uuid);
    const reasons: Error[] = [];
    monitor.onClose((reason) => reasons.push(reason));
    answers(['qemu-monitor-command', "error: failed to get domain 'x'"]);
    await assert.rejects(monitor.execute('query-status'), ConnectionLostError);
    assert.equal(reasons.length, 1);
  });

  it('is not asked any more when its guest has moved away, but for the last word', async () => {
    const monitor = new VirshMonitor(session, uuid);
    const names: string[] = [];
    monitor.onEvent(({ name }) => names.push(name));
    const reply = (status: string) => `{"return":{"status":"${status}","ram":{},"downtime":442}}`;
    answers([`qemu-monitor-command '${uuid}' '{"execute":"query-migrate"}'`, reply('active')]);
    await monitor.execute('query-migrate');
    answers([`qemu-monitor-command '${uuid}' '{"execute":"query-migrate"}'`, reply('completed')]);
    monitor.tell('MIGRATION', { status: 'completed' });
    const lastWord = { status: 'completed', ram: {} };
    assert.deepEqual(await monitor.execute('query-migrate'), lastWord);
    answers(['', 'hang']);
    monitor.tellEnded(348);
    assert.deepEqual(await monitor.execute('query-migrate'), { ...lastWord, downtime: 348 });
    assert.deepEqual(names, ['MIGRATION', 'JOB_COMPLETED']);
    await assert.rejects(monitor.execute('migrate-set-parameters', { a: 1 }), ExecuteError);
    monitor.close();
  });

  it('has moved away although it had no time for a last word', async () => {
    const monitor = new VirshMonitor(session, uuid);
    answers(['qemu-monitor-command', '{"return":{"status":"active","ram":{}}}']);
    await monitor.execute('query-migrate');
    answers(['qemu-monitor-command', 'end']);
    monitor.tell('MIGRATION', { status: 'completed' });
    assert.deepEqual(await monitor.execute('query-migrate'), { status: 'completed' });
    monitor.close();
  });

  it('has moved away as soon as QEMU says so, event or no event', async () => {
    const monitor = new VirshMonitor(session, uuid);
    answers(['qemu-monitor-command', '{"return":{"status":"completed","ram":{},"downtime":9}}']);
    assert.deepEqual(await monitor.execute('query-migrate'), { status: 'completed', ram: {} });
    assert.ok(monitor.isLeaving);
    monitor.close();
  });

  it('has not moved away when libvirt lets its guest go on here after all', async () => {
    const monitor = new VirshMonitor(session, uuid);
    answers(['qemu-monitor-command', '{"return":{"status":"completed","ram":{},"downtime":9}}']);
    await monitor.execute('query-migrate');
    assert.ok(monitor.isLeaving);
    monitor.tell('RESUME', {});
    assert.ok(!monitor.isLeaving);
    const { status } = (await monitor.execute('query-migrate')) as { status: string };
    assert.equal(status, 'failed');
    answers(['qemu-monitor-command', '{"return":{"status":"active","ram":{}}}']);
    assert.deepEqual(await monitor.execute('query-migrate'), { status: 'active', ram: {} });
    monitor.close();
  });

  it('that does not answer holds up the next command no longer than its time', async () => {
    const monitor = new VirshMonitor(session, uuid);
    answers(['qemu-monitor-command', 'hang'], ['list', `${uuid} w1`]);
    const [hung, listed] = await Promise.allSettled([
      monitor.execute('query-status', {}, 300),
      session.run(['list', '--uuid', '--name']),
    ]);
    assert.ok(hung.status === 'rejected' && hung.reason instanceof TimeoutError);
    assert.ok(listed.status === 'fulfilled');
    assert.deepEqual(listed.value, [`${uuid} w1`]);
  });

  it('is not lost with a virsh that ends', async () => {
    answers(['domstate', 'end'], ['list', `${uuid} w1`]);
    await assert.rejects(session.run(['domstate', uuid]), ConnectionLostError);
    assert.deepEqual(await session.run(['list']), [`${uuid} w1`]);
  });

  it('is heard until nobody listens', async () => {
    rig.says("event STOP at 1.2 for domain 'w1': <null>", 'an odd line');
    const names: string[] = [];
    const listening = hearEvents(rig.libvirt, ({ name }) => names.push(name));
    await until('an event', () => names[0]).finally(() => listening.stop());
    assert.deepEqual(names, ['STOP']);
  });
});
