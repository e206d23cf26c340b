import assert from 'node:assert/strict';
import { inspectVm } from '../../../agent/qemu/inspect.ts';
import type { Monitor } from '../../../agent/monitor/monitor.ts';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import { answerAs, type FakeQemu, fakeQemu } from '../../fakes/qemu.ts';

describe('inspectVm', () => {
  let qemu: FakeQemu;
  let monitor: Monitor;

  beforeEach(async () => {
    qemu = await fakeQemu('10.0');
    monitor = await openQmp(qemu.server.path);
  });

  afterEach(async () => {
    monitor.close();
    await qemu.stop();
  });

  it('reads who a VM is and how it is set', async () => {
    qemu.threadIds = [process.pid, process.pid];
    const inspection = await inspectVm(monitor);
    assert.deepEqual(inspection.version, { major: 10, minor: 0, micro: 2 });
    assert.equal(inspection.uuid, qemu.uuid);
    assert.equal(inspection.name, 'web-1');
    assert.equal(inspection.runState, 'running');
    assert.equal(inspection.migrationStatus, 'none');
    assert.equal(inspection.qemuPid, process.pid);
    assert.deepEqual(inspection.vcpuThreadIds, [process.pid, process.pid]);
    assert.equal(inspection.ramBytes, 64 * 1024 * 1024);
    assert.equal(inspection.pageBytes, 4096);
    assert.deepEqual(inspection.settings.parameters, qemu.parameters);
    assert.deepEqual(inspection.settings.capabilities, qemu.capabilities);
    assert.deepEqual(inspection.multifdCompressions, ['none', 'zlib', 'zstd']);
    assert(inspection.migrationStatuses.includes('postcopy-recover-setup'));
    assert.equal(inspection.machineType, 'pc-i440fx-7.2');
    assert.deepEqual(inspection.storage, { disks: [] });
  });

  it('reads on which TCP port a destination listens, and of other transports nothing', async () => {
    const address = { type: 'inet', host: '127.0.0.1', port: '49160', ipv4: true };
    qemu.migration = { status: 'setup', 'socket-address': [address] };
    assert.equal((await inspectVm(monitor)).listeningPort, 49_160);
    qemu.migration = { status: 'setup', 'socket-address': [{ type: 'unix', path: '/run/x' }] };
    assert.equal('listeningPort' in (await inspectVm(monitor)), false);
  });

  it('only asks', async () => {
    await inspectVm(monitor);
    assert.deepEqual(
      qemu.server.commands().filter((command) => !command.startsWith('query-')),
      ['qom-get'],
    );
  });

  it('does without a name and without a process that it can see', async () => {
    qemu.name = undefined;
    qemu.threadIds = [2 ** 30];
    const inspection = await inspectVm(monitor);
    assert.equal('name' in inspection, false);
    assert.equal('qemuPid' in inspection, false);
  });

  it('keeps odd names as data', async () => {
    qemu.name = 'a\n"b"\\ *>\u202e';
    assert.equal((await inspectVm(monitor)).name, qemu.name);
  });

  it('names monitor, command and field when a reply makes no sense', async () => {
    qemu.server.answer = (received) =>
      received.command === 'query-memory-size-summary'
        ? { return: { 'base-memory': '64M' } }
        : answerAs(qemu, received);
    await assert.rejects(inspectVm(monitor), {
      code: 'BAD_REPLY',
      message: `${qemu.server.path}: bad reply: query-memory-size-summary has a base-memory that is no number`,
    });
  });
});
