import assert from 'node:assert/strict';
import * as z from 'zod';
import { ruleFor, unknownClasses, vmRules, vmSections } from '../../../shared/config/vms.ts';

const schema = z.strictObject(vmSections);

describe('shared/config/vms', () => {
  const sections = schema.parse({
    classes: { gold: { downtimeLimit: '100ms', maxThrottle: '20%', mode: 'advise' } },
    vms: {
      'db-*': { class: 'gold' },
      'db-7': { mode: 'act', maxBandwidth: '1gbit', postCopy: 'last-resort' },
      '3d6e5a55': { policy: 'ladder' },
    },
  });
  const rules = vmRules(sections);

  it('gives a VM what its class says, and what is said of itself over that', () => {
    assert.deepEqual(ruleFor(rules, ['db-7', 'uuid']), {
      mode: 'act',
      objective: {
        downtimeLimitMilliseconds: 100,
        maxThrottlePercent: 20,
        maxBandwidthBytesPerSecond: 1.25e8,
        postCopy: 'last-resort',
      },
    });
    assert.equal(ruleFor(rules, ['db-1', 'uuid']).mode, 'advise');
  });

  it('knows a VM by its UUID too, and says nothing of one that is not named', () => {
    assert.equal(ruleFor(rules, ['web', '3d6e5a55']).policy, 'ladder');
    assert.deepEqual(ruleFor(rules, ['web', 'other']), { objective: {} });
  });

  it('refuses what is out of bounds or unknown', () => {
    for (const rule of [{ maxThrottle: '120%' }, { downtimeLimit: '1ms' }, { speed: 1 }]) {
      assert.equal(schema.safeParse({ vms: { a: rule } }).success, false);
    }
    assert.deepEqual(unknownClasses(schema.parse({ vms: { a: { class: 'lead' } } })), [
      { vm: 'a', name: 'lead' },
    ]);
  });
});
