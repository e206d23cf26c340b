import assert from 'node:assert/strict';
import {
  measureDirtyRate,
  parseDirtyRate,
  samplePagesPerGibibyte,
} from '../../../agent/collectors/dirty-rate.ts';
import { replyingMonitor } from '../replying-monitor.ts';

const gibibyte = 2 ** 30;

describe('dirty-rate collector', () => {
  it('converts MiB/s and both units of the window', () => {
    const reply = { status: 'measured', 'dirty-rate': 13, 'sample-pages': 4096, 'calc-time': 2 };
    assert.deepEqual(parseDirtyRate(reply), {
      dirtyBytesPerSecond: 13 * 2 ** 20,
      windowMilliseconds: 2000,
      samplePagesPerGibibyte: 4096,
    });
    const fine = { ...reply, 'calc-time': 250, 'calc-time-unit': 'millisecond' };
    assert.equal(parseDirtyRate(fine)?.windowMilliseconds, 250);
  });

  it('has no figure while QEMU measures, nor when it says -1', () => {
    assert.equal(parseDirtyRate({ status: 'measuring', 'calc-time': 1 }), undefined);
    assert.equal(parseDirtyRate({ status: 'measured', 'dirty-rate': -1 }), undefined);
  });

  it('samples a small VM as well as a large one, within the range that QEMU takes', () => {
    assert.equal(samplePagesPerGibibyte(gibibyte), 4096);
    assert.equal(samplePagesPerGibibyte(gibibyte / 8), 16_384);
    assert.equal(samplePagesPerGibibyte(64 * gibibyte), 512);
  });

  it('asks for page sampling only, and waits for the figure', async () => {
    const asked: unknown[] = [];
    let polls = 0;
    const monitor = replyingMonitor({
      'calc-dirty-rate': (commandArguments) => asked.push(commandArguments),
      'query-dirty-rate': () =>
        ++polls < 3 ? { status: 'measuring' } : { status: 'measured', 'dirty-rate': 5 },
    });
    const rate = await measureDirtyRate(monitor, gibibyte, () => Promise.resolve());
    assert.equal(rate.dirtyBytesPerSecond, 5 * 2 ** 20);
    assert.deepEqual(asked, [{ 'calc-time': 1, 'sample-pages': 4096, mode: 'page-sampling' }]);
  });

  it('gives up in the end', async () => {
    const monitor = replyingMonitor({
      'calc-dirty-rate': () => ({}),
      'query-dirty-rate': () => ({ status: 'measuring' }),
    });
    const atOnce = () => Promise.resolve();
    await assert.rejects(measureDirtyRate(monitor, gibibyte, atOnce), /test.qmp: .* no figure/);
  });
});
