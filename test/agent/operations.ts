/** Arbitrary operations, most of them unreasonable. */
import fc from 'fast-check';
import type { Endpoint, Operation, Tuning } from '../../shared/command.ts';
import { families, throttleMechanisms, type Family } from '../../shared/sample.ts';

const figure = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.constantFrom(0, 1, 2 ** 20, 2 ** 31, 2 ** 40, 2 ** 53),
);
const family: fc.Arbitrary<Family> = fc.constantFrom(...families);
const word = fc.constantFrom('h2', '::1', 'exec:id', 'a,to=9', '/tmp/m', '../m', '', 'fd:3', 'a b');
const endpoint: fc.Arbitrary<Endpoint> = fc.oneof(
  fc.record({ kind: fc.constant('tcp' as const), host: word, port: figure }),
  fc.record({ kind: fc.constant('unix' as const), path: word }),
);
const tuning: fc.Arbitrary<Tuning> = fc.record(
  {
    downtimeLimitMilliseconds: figure,
    maxBandwidthBytesPerSecond: figure,
    availSwitchoverBandwidthBytesPerSecond: figure,
    maxPostcopyBandwidthBytesPerSecond: figure,
    autoConverge: fc.record({
      initialPercent: figure,
      incrementPercent: figure,
      maxPercent: figure,
      triggerThresholdPercent: figure,
    }),
  },
  { requiredKeys: [] },
);
const arming = fc.record(
  {
    family,
    autoConverge: fc.boolean(),
    postCopy: fc.boolean(),
    xbzrleCacheBytes: figure,
    multifdChannels: figure,
    compressionLevel: figure,
    compressThreads: figure,
  },
  { requiredKeys: ['family', 'autoConverge', 'postCopy'] },
);
const constant = <const K extends string>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

/** Any operation that acts on an attached VM, except the slow probe. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: constant('arm'), arming, tuning }),
  fc.record({ kind: constant('listen'), endpoint }),
  fc.record({ kind: constant('migrate'), endpoint }),
  fc.record({ kind: constant('tune'), tuning }),
  fc.record({
    kind: constant('throttle'),
    percent: figure,
    mechanism: fc.constantFrom(...throttleMechanisms),
  }),
  fc.record({ kind: constant('cancel') }),
  fc.record({ kind: constant('start-postcopy') }),
  fc.record({ kind: constant('recover-destination'), endpoint }),
  fc.record({ kind: constant('resume'), endpoint }),
  fc.record({ kind: constant('restore') }),
);
