import assert from 'node:assert/strict';
import { factsOf, forgetsDirtyPages, type QemuTraits } from '../../../agent/qemu/facts.ts';
import { fakeQemuState, type FakeQemuVersion } from '../../fakes/qemu.ts';

function traits(version: FakeQemuVersion, changes: Partial<QemuTraits> = {}): QemuTraits {
  const state = fakeQemuState(version);
  return { ...state, settings: state, migrationStatus: 'none', ...changes };
}

describe('factsOf', () => {
  it('tells what 7.2 can do', () => {
    assert.deepEqual(factsOf(traits('7.2')), {
      families: ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd', 'compress'],
      postCopyFamilies: ['plain', 'xbzrle', 'compress'],
      liveSettings: ['downtime-limit', 'max-bandwidth', 'max-postcopy-bandwidth', 'throttle'],
      timerSync: false,
    });
  });

  it('tells what 10.0 can do', () => {
    assert.deepEqual(factsOf(traits('10.0')), {
      families: ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd'],
      postCopyFamilies: ['plain', 'xbzrle'],
      liveSettings: [
        'downtime-limit',
        'max-bandwidth',
        'avail-switchover-bandwidth',
        'max-postcopy-bandwidth',
        'throttle',
      ],
      timerSync: true,
    });
  });

  it('offers zstd only where the build has it', () => {
    const { families } = factsOf(traits('10.0', { multifdCompressions: ['none', 'zlib'] }));
    assert.equal(families.includes('multifd-zlib'), true);
    assert.equal(families.includes('multifd-zstd'), false);
  });

  it('only observes a QEMU that is too old, or in a state that nobody knows', () => {
    const tooOld = traits('7.2', { version: { major: 5, minor: 2, micro: 0 } });
    for (const unknown of [tooOld, traits('7.2', { migrationStatus: 'teleporting' })]) {
      const { families, postCopyFamilies, liveSettings } = factsOf(unknown);
      assert.deepEqual([families, postCopyFamilies, liveSettings], [[], [], []]);
    }
  });

  it('keeps to plain pre-copy on a QEMU newer than its knowledge', () => {
    const newer = traits('10.0', { version: { major: 12, minor: 0, micro: 0 } });
    const surprising = traits('10.0', { migrationStatuses: ['none', 'teleporting'] });
    for (const { families, postCopyFamilies, liveSettings } of [newer, surprising].map(factsOf)) {
      assert.deepEqual(families, ['plain']);
      assert.deepEqual(postCopyFamilies, []);
      assert(liveSettings.includes('throttle'));
    }
  });
});

describe('forgetsDirtyPages', () => {
  const version = { major: 7, minor: 2, micro: 22 };
  const emulated = { kvm: false, version, vcpuThreadIds: [7, 8] };

  it('is told of several vCPUs without KVM, before 10.0', () => {
    assert.equal(forgetsDirtyPages(emulated), true);
    assert.equal(forgetsDirtyPages({ ...emulated, kvm: true }), false);
    assert.equal(forgetsDirtyPages({ ...emulated, version: { ...version, major: 10 } }), false);
    // Two of them in one thread.
    assert.equal(forgetsDirtyPages({ ...emulated, vcpuThreadIds: [7, 7] }), false);
  });
});
