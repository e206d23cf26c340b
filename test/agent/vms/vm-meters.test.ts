import assert from 'node:assert/strict';
import { openVmMeters } from '../../../agent/vms/vm-meters.ts';
import { systemClock } from '../../../shared/clock.ts';
import { replyingMonitor } from '../replying-monitor.ts';

describe('agent/vms/vm-meters', () => {
  const monitor = replyingMonitor({
    'query-blockstats': () => [{ stats: { rd_bytes: 512, wr_bytes: 0 } }],
  });
  const options = { monitor, pid: process.pid, clock: systemClock };

  it('tells of each vCPU what the last reading told, and reads those that it does not follow', () => {
    const meters = openVmMeters({ ...options, threadIds: [process.pid] });
    assert.equal(meters.cpuSeconds(process.pid), undefined);
    const { vcpuSeconds } = meters.read();
    // Longer than the tick of a kernel that counts no finer.
    for (const until = performance.now() + 50; performance.now() < until;);
    assert.ok(vcpuSeconds !== undefined && vcpuSeconds > 0);
    assert.equal(meters.cpuSeconds(process.pid), vcpuSeconds);
    assert.ok((meters.read().vcpuSeconds ?? 0) > vcpuSeconds);
    meters.close();

    const others = openVmMeters({ ...options, threadIds: [] });
    assert.ok((others.cpuSeconds(process.pid) ?? 0) > 0);
    assert.deepEqual(others.read(), {});
    others.close();
  });

  it('gives the counters of the disks as they were last asked for', async () => {
    const meters = openVmMeters({ ...options, threadIds: [] });
    assert.deepEqual(meters.read(), {});
    await meters.readDisks();
    const counters = { blockReadBytes: 512, blockWrittenBytes: 0, blockOperations: 0 };
    assert.deepEqual(meters.read(), counters);
    meters.close();
  });
});
