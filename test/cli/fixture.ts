/** A migration as the core would hold it, for what only looks at one. */
import type { Decision } from '../../brain/core/decision.ts';
import type {
  DecisionRecord,
  Migration,
  MigrationResult,
  Round,
} from '../../brain/core/migration.ts';
import type { MigrationSample, VmFacts } from '../../shared/sample.ts';

export const mebibyte = 1024 * 1024;

const facts: VmFacts = {
  ref: { host: 'source', agentBoot: 'boot', qemuPid: 1, uuid: 'uuid' },
  name: 'redis-7',
  monitor: '/run/a.qmp',
  qemuVersion: '10.0.2',
  runState: 'running',
  migrationStatus: 'active',
  ramBytes: 128 * mebibyte,
  pageBytes: 4096,
  vcpus: 1,
  families: ['plain'],
  postCopyFamilies: [],
  liveSettings: ['throttle'],
  throttles: [],
  canProbe: true,
  canStartDestination: false,
  timerSync: false,
  idleCpuCores: 1,
  freeMemoryBytes: 0,
};

/** A sample in mid-round: 20 MiB left, the guest writes 41 MiB/s, the link takes 32 MiB/s. */
export const sample: MigrationSample = {
  status: 'active',
  throttlePercent: 0,
  ram: {
    transferredBytes: 200 * mebibyte,
    remainingBytes: 20 * mebibyte,
    totalBytes: 128 * mebibyte,
    duplicatePages: 0,
    normalPages: 0,
    normalBytes: 0,
    dirtySyncCount: 3,
    dirtyPagesPerSecond: 41 * 256,
    pagesPerSecond: 0,
    pageBytes: 4096,
    bandwidthBytesPerSecond: 32 * mebibyte,
    multifdBytes: 0,
    precopyBytes: 0,
    downtimeBytes: 0,
    postcopyBytes: 0,
    postcopyRequests: 0,
  },
};

export function round(number: number, startMebibytes: number, endMebibytes: number): Round {
  return {
    number,
    attempt: 1,
    startedAtMilliseconds: number * 1000,
    endedAtMilliseconds: number * 1000 + 1000,
    startRemainingBytes: startMebibytes * mebibyte,
    endRemainingBytes: endMebibytes * mebibyte,
    unsentBytes: 0,
    transferredBytes: startMebibytes * mebibyte,
    guestRunMilliseconds: 1000,
    throttlePercent: 0,
  };
}

export const throttleDecision: Decision = {
  number: 6,
  atMilliseconds: 5000,
  side: 'source',
  operation: { kind: 'throttle', percent: 90, mechanism: 'cgroup' },
  method: 'auto-converge',
  rule: 'rule-nobody-phrased',
  evidence: { leak: 1.42, dirtyBytesPerSecond: 41 * mebibyte },
  prediction: { totalMilliseconds: 8200, downtimeMilliseconds: 210 },
};

/** The decision with what was measured of it at the end. */
export const measuredRecord: DecisionRecord = {
  decision: throttleDecision,
  outcome: 'applied',
  measured: { outcome: 'completed', totalMilliseconds: 9100, downtimeMilliseconds: 190 },
};

export const completedResult: MigrationResult = {
  outcome: 'completed',
  totalMilliseconds: 7100,
  preparationMilliseconds: 1600,
  downtimeMilliseconds: 210,
  transferredBytes: 150 * mebibyte,
  rounds: 4,
  throttleSeconds: 2.4,
  maxThrottlePercent: 90,
  postCopy: false,
  restarts: 0,
  policy: 'adaptive',
};

/** A migration in its second round; `changes` makes it another. */
export function migration(changes: Partial<Migration> = {}): Migration {
  return {
    id: 'm1',
    policy: 'adaptive',
    phase: 'moving',
    nowMilliseconds: 7000,
    orderedAtMilliseconds: 0,
    source: facts,
    destination: { ...facts, ref: { ...facts.ref, host: 'destination' } },
    link: {
      provenance: 'unknown',
      bytesPerSecond: 0,
      lowBytesPerSecond: 0,
      highBytesPerSecond: 0,
    },
    last: sample,
    tuning: {},
    openRound: {
      number: 2,
      startedAtMilliseconds: 2000,
      startRemainingBytes: 80 * mebibyte,
      startTransferredBytes: 0,
      startSentPages: 0,
      dirtySyncCount: 2,
      guestRunMilliseconds: 0,
    },
    rounds: [round(1, 128, 80)],
    attempts: [
      {
        number: 1,
        arming: { family: 'plain', autoConverge: true, postCopy: false },
        startedAtMilliseconds: 1000,
        transferredBytes: 0,
      },
    ],
    triedFamilies: [],
    orderedThrottlePercent: 0,
    orderedThrottleRound: 0,
    throttleSeconds: 0,
    maxThrottlePercent: 0,
    decisions: [{ decision: throttleDecision, outcome: 'applied' }],
    notes: [],
    recoveries: 0,
    policyMemory: {},
    ...changes,
  };
}
