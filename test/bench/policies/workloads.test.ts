import assert from 'node:assert/strict';
import { neededMemoryBytes } from '../../guests/guest.ts';
import { headStartMilliseconds, policies } from './policies.ts';
import { workloads } from './workloads.ts';

const mebibyte = 2 ** 20;

describe('bench/workloads', () => {
  it('are at least fourteen, each with a name of its own', () => {
    const names = new Set(workloads.map(({ name }) => name));
    assert.ok(names.size === workloads.length && names.size >= 14);
  });

  for (const { name, guest } of workloads) {
    it(`${name} fits on small hosts and fast links`, () => {
      for (const link of [32 * mebibyte, 250 * mebibyte]) {
        const made = guest(link);
        if ('keys' in made) {
          assert.ok(made.memoryMebibytes <= 1024);
          continue;
        }
        assert.ok(made.workingSetBytes % mebibyte === 0 && made.workingSetBytes > 0);
        assert.ok((made.hotSet?.bytes ?? 0) < made.workingSetBytes);
        assert.ok(neededMemoryBytes(made) <= 1024 * mebibyte);
      }
    });
  }
});

describe('bench/policies', () => {
  it('arm nothing that QEMU refuses together', () => {
    for (const { choice } of policies) {
      if (choice === 'ferryman') continue;
      const families = ['multifd', 'xbzrle', 'compress'];
      assert.ok(choice.capabilities.filter((each) => families.includes(each)).length <= 1);
    }
  });

  it('wait for the probe of those that have one', () => {
    const waits = Object.fromEntries(
      policies.map((each) => [each.name, headStartMilliseconds(each)]),
    );
    assert.equal(waits['adaptive'], 0);
    assert.equal(waits['ladder'], 0);
    assert.ok((waits['none'] ?? 0) > (waits['cgroup-90'] ?? 0) && (waits['cgroup-90'] ?? 0) > 0);
  });
});
