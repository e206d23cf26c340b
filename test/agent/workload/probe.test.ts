import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  canReadGuestMemory,
  GuestMemoryError,
  openGuestMemory,
} from '../../../agent/workload/guest-memory.ts';
import { probeByDirtyRate, probeWorkload } from '../../../agent/workload/probe.ts';
import { probeReport } from '../../../shared/codec/sample-schemas.ts';
import { replyingMonitor } from '../replying-monitor.ts';

const mebibyte = 2 ** 20;
const program = fileURLToPath(new URL('stand-in-guest.mjs', import.meta.url));
const wasmPages = 1111;
const ramBytes = wasmPages * 65_536;
const dirtyBytesPerSecond = 4000 * 4096;

const monitor = replyingMonitor({
  'calc-dirty-rate': () => ({}),
  'query-dirty-rate': () => ({
    status: 'measured',
    'dirty-rate': 20,
    'calc-time': 1,
    'sample-pages': 4096,
  }),
});

describe('workload probe on the RAM of a live process', () => {
  let guest: ChildProcess;
  let pid: number;

  before(async function () {
    const pace = String(dirtyBytesPerSecond / 4096);
    guest = spawn(process.execPath, [program, String(wasmPages), pace], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    pid = guest.pid ?? assert.fail('the stand-in for a guest did not start');
    await once(guest.stdout ?? assert.fail(), 'data');
    if (!canReadGuestMemory(pid)) {
      console.warn('      no right to read the memory of another process (root): not run');
      this.skip();
    }
  });

  after(() => guest.kill('SIGKILL'));

  it('measures a known layout, dirtied at a known pace', async () => {
    const report = probeReport.parse(
      await probeWorkload({ pid, ramBytes, budgetMilliseconds: 500 }),
    );
    assert.equal(report.source, 'guest-memory');
    assert.ok(Math.abs(report.zeroShare - 0.5) < 0.01, `zero share ${String(report.zeroShare)}`);
    assert.ok((report.compressionRatio ?? 0) > 20, String(report.compressionRatio));
    assert.ok((report.compressionSecondsPerPage ?? 1) < 0.01);
    assert.ok((report.xbzrleDeltaShare ?? 1) < 0.01, String(report.xbzrleDeltaShare));
    const { windowMilliseconds, dirtyBytes } = report.dirtyCurve.at(-1) ?? assert.fail();
    const expected = (dirtyBytesPerSecond * windowMilliseconds) / 1000;
    const ratio = dirtyBytes / expected;
    // The stand-in shares the machine with other tests, and its timer may come late.
    assert.ok(ratio > 0.5 && ratio < 1.6, `${String(ratio)} of what was dirtied`);
  });

  it('says which process it is when no memory of it has that size', () => {
    assert.throws(
      () => openGuestMemory(pid, 12_345 * mebibyte),
      (error) => error instanceof GuestMemoryError && error.message.includes(String(pid)),
    );
  });

  it('fails clearly when the process ends meanwhile', async () => {
    const memory = openGuestMemory(pid, ramBytes);
    try {
      guest.kill('SIGKILL');
      await once(guest, 'exit');
      const reading = memory.readPages([0, 1, 2], Buffer.alloc(3 * 4096));
      await assert.rejects(reading, GuestMemoryError);
    } finally {
      memory.close();
    }
  });
});

describe('workload probe without the right to read', () => {
  const noProcess = 2 ** 22 + 1;
  const atOnce = () => Promise.resolve();

  it('asks QEMU for its dirty rate, and promises nothing about content', async () => {
    assert.equal(canReadGuestMemory(noProcess), false);
    const options = { pid: noProcess, ramBytes: 1024 * mebibyte, monitor, sleep: atOnce };
    const { tookMilliseconds, ...report } = probeReport.parse(await probeWorkload(options));
    assert.ok(tookMilliseconds < 500);
    assert.deepEqual(report, {
      source: 'calc-dirty-rate',
      ramBytes: 1024 * mebibyte,
      sampledPages: 4096,
      zeroShare: 0,
      dirtyCurve: [{ windowMilliseconds: 1000, dirtyBytes: 20 * mebibyte }],
    });
  });

  it('says what is missing when there is no monitor either', async () => {
    await assert.rejects(probeWorkload({ pid: noProcess, ramBytes }), {
      code: 'GUEST_MEMORY',
      message: /CAP_SYS_PTRACE/,
    });
  });

  it('never finds more dirtied than there is', async () => {
    const clock = { wallMilliseconds: () => 0, monotonicMilliseconds: () => 0 };
    const small = replyingMonitor({
      'calc-dirty-rate': () => ({}),
      'query-dirty-rate': () => ({ status: 'measured', 'dirty-rate': 500 }),
    });
    const report = await probeByDirtyRate(small, 256 * mebibyte, { sleep: atOnce, clock });
    assert.equal(report.dirtyCurve[0]?.dirtyBytes, 256 * mebibyte);
  });
});
