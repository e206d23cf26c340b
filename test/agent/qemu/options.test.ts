import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  armingToQemu,
  assignmentsToCalls,
  inertThrottle,
  savedToQemu,
  throttleSetPoint,
  tuningToQemu,
} from '../../../agent/qemu/options.ts';
import type { Arming } from '../../../shared/command.ts';
import { families } from '../../../shared/sample.ts';
import { fakeQemuState } from '../../fakes/qemu.ts';

const old = fakeQemuState('7.2');
const recent = fakeQemuState('10.0');
const plain: Arming = { family: 'plain', autoConverge: false, postCopy: false };

describe('armingToQemu', () => {
  it('sets every capability that ferryman manages, on or off, and no other', () => {
    const { capabilities } = armingToQemu({ ...plain, autoConverge: true }, {}, old);
    assert.deepEqual(capabilities, {
      events: true,
      'auto-converge': true,
      xbzrle: false,
      compress: false,
      multifd: false,
      'postcopy-ram': false,
      'postcopy-preempt': false,
      'pause-before-switchover': false,
      'background-snapshot': false,
      'zero-copy-send': false,
      'x-colo': false,
    });
  });

  it('arms auto-converge inert, and otherwise as it is told', () => {
    const throttled = { ...plain, autoConverge: true };
    const inert = armingToQemu(throttled, {}, old).parameters;
    assert.equal(inert['cpu-throttle-initial'], 1);
    assert.equal(inert['max-cpu-throttle'], 1);
    const told = armingToQemu(throttled, { autoConverge: throttleSetPoint(60) }, old).parameters;
    assert.equal(told['max-cpu-throttle'], 60);
    assert.equal('max-cpu-throttle' in armingToQemu(plain, {}, old).parameters, false);
  });

  it('gives each family its own settings only', () => {
    const all = {
      autoConverge: false,
      postCopy: false,
      xbzrleCacheBytes: 100 * 1024 * 1024,
      multifdChannels: 4,
      compressionLevel: 3,
      compressThreads: 2,
    };
    const parametersOf = (family: Arming['family']): unknown =>
      armingToQemu({ ...all, family }, {}, old).parameters;
    assert.deepEqual(parametersOf('plain'), {});
    assert.deepEqual(parametersOf('xbzrle'), { 'xbzrle-cache-size': 64 * 1024 * 1024 });
    assert.deepEqual(parametersOf('compress'), { 'compress-level': 3, 'compress-threads': 2 });
    assert.deepEqual(parametersOf('multifd'), {
      'multifd-channels': 4,
      'multifd-compression': 'none',
    });
    assert.deepEqual(parametersOf('multifd-zstd'), {
      'multifd-channels': 4,
      'multifd-compression': 'zstd',
      'multifd-zstd-level': 3,
    });
  });

  it('refuses a family whose capability this QEMU lacks', () => {
    assert.throws(() => armingToQemu({ ...plain, family: 'compress' }, {}, recent), {
      code: 'NOT_AVAILABLE',
      message: /no migration capability compress/,
    });
  });

  it('names only keys that QEMU has and keeps every figure in range', () => {
    const figure = fc.option(fc.double({ noNaN: true }), { nil: undefined });
    const arming = fc.record({
      family: fc.constantFrom(...families.filter((family) => family !== 'compress')),
      autoConverge: fc.boolean(),
      postCopy: fc.boolean(),
      xbzrleCacheBytes: figure,
      multifdChannels: figure,
      compressionLevel: figure,
    }) as fc.Arbitrary<Arming>;
    fc.assert(
      fc.property(arming, fc.constantFrom(old, recent), (value, qemu) => {
        const { capabilities, parameters } = armingToQemu(value, {}, qemu);
        assert(Object.keys(capabilities).every((name) => name in qemu.capabilities));
        assert(Object.keys(parameters).every((name) => name in qemu.parameters));
        const cache = parameters['xbzrle-cache-size'];
        assert(cache === undefined || Number.isInteger(Math.log2(cache as number)));
        const channels = Number(parameters['multifd-channels'] ?? 1);
        assert(Number.isInteger(channels) && channels >= 1 && channels <= 255);
      }),
    );
  });
});

describe('tuningToQemu', () => {
  it('sends what is asked for, and drops what the version does not know', () => {
    const tuning = {
      downtimeLimitMilliseconds: 250.4,
      availSwitchoverBandwidthBytesPerSecond: 5e8,
    };
    assert.deepEqual(tuningToQemu(tuning, old), { 'downtime-limit': 250 });
    assert.deepEqual(tuningToQemu(tuning, recent), {
      'downtime-limit': 250,
      'avail-switchover-bandwidth': 5e8,
    });
  });

  it('never says that bandwidth has no limit by 0 or below', () => {
    for (const maxBandwidthBytesPerSecond of [0, -1, 10]) {
      const parameters = tuningToQemu({ maxBandwidthBytesPerSecond }, old);
      assert.equal(parameters['max-bandwidth'], 1024 * 1024);
    }
    const huge = tuningToQemu({ maxBandwidthBytesPerSecond: 2 ** 63 }, old)['max-bandwidth'];
    assert(Number(huge) < 2 ** 63);
  });

  it('keeps the initial throttle at or below the maximum, which QEMU demands', () => {
    const autoConverge = { ...inertThrottle, initialPercent: 80, maxPercent: 40 };
    const parameters = tuningToQemu({ autoConverge }, old);
    assert.equal(parameters['cpu-throttle-initial'], 40);
    assert.equal(parameters['max-cpu-throttle'], 40);
  });

  it('refuses a figure that is none', () => {
    assert.throws(() => tuningToQemu({ downtimeLimitMilliseconds: NaN }, old), /downtime-limit/);
  });
});

describe('savedToQemu', () => {
  it('puts back what arming and tuning change, and touches nothing else', () => {
    const { capabilities, parameters } = savedToQemu(old);
    const arming: Arming = { ...plain, family: 'multifd-zlib', autoConverge: true };
    const armed = armingToQemu(arming, { downtimeLimitMilliseconds: 1 }, old);
    assert.deepEqual(Object.keys(capabilities).sort(), Object.keys(armed.capabilities).sort());
    assert(
      Object.keys(armed.parameters).every((name) => parameters[name] === old.parameters[name]),
    );
    assert.equal('tls-creds' in parameters || 'announce-max' in parameters, false);
  });

  it("says the operator's 0 for no bandwidth limit in a number that is one", () => {
    const saved = { ...old, parameters: { ...old.parameters, 'max-bandwidth': 0 } };
    assert.equal(savedToQemu(saved).parameters['max-bandwidth'], Number.MAX_SAFE_INTEGER);
  });
});

describe('assignmentsToCalls', () => {
  it('sets capabilities before parameters and makes no empty call', () => {
    assert.deepEqual(assignmentsToCalls({ capabilities: {}, parameters: {} }), []);
    const calls = assignmentsToCalls({ capabilities: { xbzrle: true }, parameters: { a: 1 } });
    assert.deepEqual(calls, [
      {
        command: 'migrate-set-capabilities',
        arguments: { capabilities: [{ capability: 'xbzrle', state: true }] },
      },
      { command: 'migrate-set-parameters', arguments: { a: 1 } },
    ]);
  });
});
