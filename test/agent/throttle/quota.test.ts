import assert from 'node:assert/strict';
import { quotaFor } from '../../../agent/throttle/cgroup.ts';

describe('CPU quota', () => {
  it('caps a busy vCPU at what is left of a CPU, in periods of a tick', () => {
    assert.deepEqual(quotaFor(50, 1), { quotaMicroseconds: 2000, periodMicroseconds: 4000 });
  });

  it('takes its share of the measured use, as a quota is a cap', () => {
    const { quotaMicroseconds, periodMicroseconds } = quotaFor(50, 0.4);
    assert.equal(quotaMicroseconds / periodMicroseconds, 0.2);
  });

  it('lengthens the period when the quota would fall below what the kernel allows', () => {
    assert.deepEqual(quotaFor(80, 1), { quotaMicroseconds: 1000, periodMicroseconds: 5000 });
    assert.deepEqual(quotaFor(90, 0.1), { quotaMicroseconds: 1000, periodMicroseconds: 100_000 });
    assert.deepEqual(quotaFor(99, 0.001), {
      quotaMicroseconds: 1000,
      periodMicroseconds: 200_000,
    });
  });
});
