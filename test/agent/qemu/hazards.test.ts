import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hazardOf, hazards, type Situation } from '../../../agent/qemu/hazards.ts';
import { armingToQemu, assignmentsToCalls, tuningToQemu } from '../../../agent/qemu/options.ts';
import { families } from '../../../shared/sample.ts';
import { fakeQemuState } from '../../fakes/qemu.ts';

const settings = fakeQemuState('7.2');
const resting: Situation = {
  version: settings.version,
  runState: 'running',
  migrationStatus: 'none',
  settings,
  postCopyRequested: false,
};
const moving: Situation = { ...resting, migrationStatus: 'active' };

function armed(...names: string[]): Situation['settings'] {
  const states = names.map((name) => [name, true] as const);
  return { ...settings, capabilities: { ...settings.capabilities, ...Object.fromEntries(states) } };
}

function capabilities(...names: string[]): Record<string, unknown> {
  return { capabilities: names.map((capability) => ({ capability, state: true })) };
}

type Case = [rule: string, situation: Situation, command: string, values?: Record<string, unknown>];

const refused: Case[] = [
  ['unknown-status', { ...resting, migrationStatus: 'teleporting' }, 'migrate_cancel'],
  [
    'unknown-version',
    { ...resting, version: { major: 5, minor: 2, micro: 0 } },
    'migrate-set-parameters',
    { 'downtime-limit': 300 },
  ],
  [
    'exclusive-capabilities',
    resting,
    'migrate-set-capabilities',
    capabilities('multifd', 'postcopy-ram'),
  ],
  [
    'exclusive-capabilities',
    { ...resting, settings: armed('multifd') },
    'migrate-set-capabilities',
    capabilities('xbzrle'),
  ],
  [
    'exclusive-capabilities',
    { ...resting, settings: armed('multifd', 'postcopy-ram') },
    'migrate',
    { uri: 'tcp:a:1' },
  ],
  ['capability-in-flight', moving, 'migrate-set-capabilities', capabilities('events')],
  ['crash-in-flight', moving, 'migrate-set-parameters', { 'compress-threads': 1 }],
  ['crash-in-flight', moving, 'migrate-set-parameters', { 'multifd-channels': 2 }],
  ['no-effect-in-flight', moving, 'migrate-set-parameters', { 'xbzrle-cache-size': 8192 }],
  ['no-effect-in-flight', moving, 'migrate-set-parameters', { 'multifd-zstd-level': 2 }],
  ['no-effect-in-flight', moving, 'migrate-set-parameters', { 'multifd-compression': 'zstd' }],
  [
    'pre-copy-setting-in-post-copy',
    { ...resting, migrationStatus: 'postcopy-active' },
    'migrate-set-parameters',
    { 'downtime-limit': 300 },
  ],
  ['out-of-range', moving, 'migrate-set-parameters', { 'max-bandwidth': 0 }],
  ['out-of-range', moving, 'migrate-set-parameters', { 'max-bandwidth': -1 }],
  ['out-of-range', moving, 'migrate-set-parameters', { 'max-bandwidth': 2 ** 63 }],
  ['out-of-range', resting, 'migrate-set-parameters', { 'xbzrle-cache-size': 12288 }],
  ['out-of-range', resting, 'migrate-set-parameters', { 'xbzrle-cache-size': 2 ** 62 }],
  ['out-of-range', moving, 'migrate-set-parameters', { 'downtime-limit': '300' }],
  ['throttle-without-its-pair', moving, 'migrate-set-parameters', { 'max-cpu-throttle': 50 }],
  [
    'throttle-without-its-pair',
    moving,
    'migrate-set-parameters',
    { 'max-cpu-throttle': 50, 'cpu-throttle-initial': 60 },
  ],
  ['cancel-in-post-copy', { ...moving, postCopyRequested: true }, 'migrate_cancel'],
  ['cancel-in-post-copy', { ...resting, migrationStatus: 'postcopy-active' }, 'migrate_cancel'],
  ['cancel-in-post-copy', { ...resting, migrationStatus: 'postcopy-paused' }, 'migrate_cancel'],
  ['cancel-in-post-copy', { ...resting, migrationStatus: 'completed' }, 'migrate_cancel'],
  ['post-copy-not-armed', moving, 'migrate-start-postcopy'],
  [
    'post-copy-not-armed',
    { ...moving, settings: armed('postcopy-ram', 'multifd') },
    'migrate-start-postcopy',
  ],
  [
    'post-copy-not-armed',
    { ...resting, migrationStatus: 'failed', settings: armed('postcopy-ram') },
    'migrate-start-postcopy',
  ],
  ['dirty-bitmap-mode', resting, 'calc-dirty-rate', { 'calc-time': 1, mode: 'dirty-bitmap' }],
  ['dirty-bitmap-mode', resting, 'calc-dirty-rate', { 'calc-time': 1, mode: 'dirty-ring' }],
  ['unsafe-uri', resting, 'migrate', { uri: 'exec:id > /tmp/x' }],
  ['unsafe-uri', resting, 'migrate', { uri: 'fd:4' }],
  ['unsafe-uri', resting, 'migrate', { uri: 'file:/etc/passwd' }],
  ['unsafe-uri', resting, 'migrate', {}],
  ['unsafe-uri', { ...resting, runState: 'inmigrate' }, 'migrate-incoming', { uri: 'exec:id' }],
  ['second-migration', moving, 'migrate', { uri: 'tcp:a:1' }],
  ['second-migration', resting, 'migrate', { uri: 'tcp:a:1', resume: true }],
  ['second-migration', { ...resting, runState: 'inmigrate' }, 'migrate', { uri: 'tcp:a:1' }],
  ['not-a-waiting-destination', resting, 'migrate-incoming', { uri: 'tcp:a:1' }],
  ['nothing-to-recover', moving, 'migrate-recover', { uri: 'tcp:a:1' }],
  ['nothing-to-pause', moving, 'migrate-pause'],
  ['not-allowed', resting, 'migrate-set-parameters', { 'tls-creds': 'mine' }],
  ['not-allowed', resting, 'migrate-set-parameters', { 'announce-rounds': 0 }],
  ['not-allowed', resting, 'migrate', { uri: 'tcp:a:1', channels: [] }],
];

const forbiddenCommands = [
  'human-monitor-command',
  'stop',
  'cont',
  'quit',
  'system_reset',
  'system_powerdown',
  'device_add',
  'device_del',
  'migrate-continue',
  'object-add',
  'blockdev-add',
  'yank',
  'constructor',
  '__proto__',
  '',
];

const allowed: [situation: Situation, command: string, values?: Record<string, unknown>][] = [
  [{ ...resting, migrationStatus: 'teleporting' }, 'query-migrate'],
  [moving, 'migrate_cancel'],
  [moving, 'migrate-set-parameters', { 'max-cpu-throttle': 50, 'cpu-throttle-initial': 50 }],
  [moving, 'migrate-set-parameters', { 'downtime-limit': 300, 'max-bandwidth': 2 ** 30 }],
  [{ ...moving, settings: armed('postcopy-ram') }, 'migrate-start-postcopy'],
  [
    { ...resting, migrationStatus: 'postcopy-active' },
    'migrate-set-parameters',
    { 'max-postcopy-bandwidth': 2 ** 24 },
  ],
  [
    { ...resting, migrationStatus: 'postcopy-paused' },
    'migrate',
    { uri: 'tcp:10.0.0.2:49152', resume: true },
  ],
  [{ ...resting, migrationStatus: 'postcopy-paused' }, 'migrate-recover', { uri: 'tcp:a:1' }],
  [{ ...resting, migrationStatus: 'cancelled' }, 'migrate', { uri: 'unix:/run/m.sock' }],
  [{ ...resting, runState: 'inmigrate' }, 'migrate-incoming', { uri: 'tcp:[::]:49152' }],
  [
    { ...resting, runState: 'inmigrate', migrationStatus: 'setup' },
    'migrate-set-capabilities',
    capabilities('xbzrle'),
  ],
  [resting, 'calc-dirty-rate', { 'calc-time': 1, 'sample-pages': 4096 }],
];

describe('hazardOf', () => {
  for (const [rule, situation, command, values = {}] of refused) {
    const label = `${command} ${JSON.stringify(values)} in ${situation.migrationStatus}`;
    it(`refuses ${label} by ${rule}`, () => {
      const verdict = hazardOf({ command, arguments: values }, situation) ?? 'was let through';
      assert(verdict.startsWith(`${rule}: `), verdict);
    });
  }

  it('knows no command that could stop, start, reset or reshape a VM', () => {
    for (const command of forbiddenCommands) {
      const verdict = hazardOf({ command, arguments: {} }, resting);
      assert.match(verdict ?? 'was let through', /^not-allowed/, command);
    }
  });

  it('lets through what a migration needs', () => {
    for (const [situation, command, values = {}] of allowed) {
      assert.equal(hazardOf({ command, arguments: values }, situation), undefined, command);
    }
  });

  it('has a case here for every row of the table', () => {
    const tested = new Set(refused.map(([rule]) => rule));
    assert.deepEqual(
      hazards.map(({ name }) => name).filter((name) => !tested.has(name)),
      [],
    );
  });

  it('accepts every arming and tuning that the options table makes', () => {
    const percent = fc.integer({ min: -10, max: 200 });
    const cases = fc.record({
      version: fc.constantFrom('7.2' as const, '10.0' as const),
      family: fc.constantFrom(...families.filter((family) => family !== 'compress')),
      autoConverge: fc.boolean(),
      xbzrleCacheBytes: fc.double({ noNaN: true }),
      multifdChannels: fc.integer(),
      initialPercent: percent,
      maxPercent: percent,
      maxBandwidthBytesPerSecond: fc.double({ noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ version, maxBandwidthBytesPerSecond, ...value }) => {
        const qemu = fakeQemuState(version);
        const situation = { ...resting, version: qemu.version, settings: qemu };
        const autoConverge = {
          initialPercent: value.initialPercent,
          maxPercent: value.maxPercent,
          incrementPercent: 99,
          triggerThresholdPercent: 1,
        };
        const tuning = { maxBandwidthBytesPerSecond, autoConverge };
        const calls = assignmentsToCalls(armingToQemu({ ...value, postCopy: false }, tuning, qemu));
        for (const call of calls) assert.equal(hazardOf(call, situation), undefined);
        const tuned = tuningToQemu(tuning, qemu);
        const call = { command: 'migrate-set-parameters', arguments: tuned };
        assert.equal(hazardOf(call, { ...situation, migrationStatus: 'active' }), undefined);
      }),
    );
  });
});
