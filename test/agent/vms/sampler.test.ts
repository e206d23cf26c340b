import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextLookMilliseconds, startSampler } from '../../../agent/vms/sampler.ts';

describe('sampler', () => {
  it('looks at VMs at rest on whole seconds, for all of them together', () => {
    assert.equal(nextLookMilliseconds(3400, 1000), 4000);
    assert.equal(nextLookMilliseconds(4000, 1000), 5000);
  });

  it('neither looks twice at one second, nor leaves one out, when a look is early or late', () => {
    assert.equal(nextLookMilliseconds(3999.2, 1000), 5000);
    assert.equal(nextLookMilliseconds(4080, 1000), 5000);
  });

  it('keeps to the period where it is shorter', () => {
    assert.equal(nextLookMilliseconds(3400, 100), 3500);
    assert.equal(nextLookMilliseconds(3400, 250), 3650);
  });

  it('looks at once when asked, and never twice at the same time', async () => {
    let looks = 0;
    let isLooking = false;
    const sampler = startSampler({
      look: async () => {
        assert.equal(isLooking, false);
        isLooking = true;
        looks += 1;
        await sleep(5);
        isLooking = false;
        return 60_000;
      },
    });
    sampler.soon();
    sampler.soon();
    for (let waited = 0; looks < 2 && waited < 400; waited++) await sleep(5);
    await sleep(20);
    sampler.stop();
    assert.equal(looks, 2);
  });
});
