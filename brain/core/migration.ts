/** All the brain remembers of one migration: plain readonly data, replaced by `reduce`, never mutated. */
import type { Arming } from '../../shared/command.ts';
import type {
  Family,
  HostSample,
  MigrationSample,
  ProbeReport,
  VmActivity,
  VmFacts,
} from '../../shared/sample.ts';
import type { Decision, Evidence, MethodName, Note } from './decision.ts';
import type { LinkEstimate, MigrateOrder } from './input.ts';

export const phases = [
  'observed',
  'probing',
  'preparing-destination',
  'arming-destination',
  'arming-source',
  'moving',
  'switching',
  'post-copy',
  'recovering',
  'cancelling',
  'restarting',
  'restoring',
  'settled',
  'needs-human',
] as const;
export type Phase = (typeof phases)[number];

/** One full pass over the backlog, between two bitmap syncs that were not QEMU's timer syncs. */
export interface Round {
  /** 1 is the first pass. */
  readonly number: number;
  readonly attempt: number;
  readonly startedAtMilliseconds: number;
  readonly endedAtMilliseconds: number;
  /** Backlog at its start, as `remaining` right after the sync. */
  readonly startRemainingBytes: number;
  /** Backlog found by the sync that ended it: the next round's start. */
  readonly endRemainingBytes: number;
  readonly transferredBytes: number;
  /** Time in which the guest was allowed to run: integral of (1 - throttle). */
  readonly guestRunMilliseconds: number;
  readonly throttlePercent: number;
}

/** The round in the making. */
export interface OpenRound {
  readonly number: number;
  readonly startedAtMilliseconds: number;
  readonly startRemainingBytes: number;
  readonly startTransferredBytes: number;
  readonly dirtySyncCount: number;
  readonly guestRunMilliseconds: number;
}

/** One `migrate` and what came of it; a restart begins another. */
export interface Attempt {
  readonly number: number;
  readonly arming: Arming;
  readonly startedAtMilliseconds?: number;
  readonly endedAtMilliseconds?: number;
  readonly transferredBytes: number;
  readonly outcome?: 'completed' | 'failed' | 'cancelled';
}

export type Outcome = 'completed' | 'failed' | 'cancelled';

/** The last line of `ferryman run --json`, see design.md 3. */
export interface MigrationResult {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly totalMilliseconds: number;
  readonly preparationMilliseconds: number;
  readonly downtimeMilliseconds: number;
  readonly transferredBytes: number;
  readonly rounds: number;
  readonly throttleSeconds: number;
  readonly maxThrottlePercent: number;
  readonly postCopy: boolean;
  readonly restarts: number;
  readonly policy: string;
}

/** A decision whose result has not come yet. */
export interface PendingCommand {
  readonly decision: Decision;
  readonly deadlineMilliseconds: number;
}

/** A decision in the record, and what was measured of its effect. */
export interface DecisionRecord {
  readonly decision: Decision;
  readonly outcome?: 'applied' | 'refused' | 'failed' | 'indeterminate';
  readonly reason?: string;
  readonly measured?: Evidence;
}

export interface Migration {
  readonly id: string;
  readonly policy: string;
  readonly phase: Phase;
  readonly nowMilliseconds: number;
  readonly order?: MigrateOrder;
  readonly orderedAtMilliseconds?: number;
  readonly abortReason?: string;
  readonly source?: VmFacts;
  readonly destination?: VmFacts;
  readonly sourceHost?: HostSample;
  readonly destinationHost?: HostSample;
  readonly probe?: ProbeReport;
  readonly activity?: VmActivity;
  readonly link: LinkEstimate;
  /** Recent measured wire rate, smoothed; absent before the first samples. */
  readonly bandwidthBytesPerSecond?: number;
  readonly last?: MigrationSample;
  readonly lastSampleAtMilliseconds?: number;
  readonly destinationStatus?: string;
  readonly openRound?: OpenRound;
  readonly rounds: readonly Round[];
  readonly attempts: readonly Attempt[];
  /** Families tried and given up, in order (`ladder`, restarts). */
  readonly triedFamilies: readonly Family[];
  /** Throttle as last ordered and acknowledged, 0 when released or inert. */
  readonly orderedThrottlePercent: number;
  readonly throttleSeconds: number;
  readonly maxThrottlePercent: number;
  readonly pending?: PendingCommand;
  readonly decisions: readonly DecisionRecord[];
  readonly notes: readonly Note[];
  /** Free-form memory of a policy between decisions; plain data. */
  readonly policyMemory: Readonly<Record<string, number | string | boolean>>;
  readonly result?: MigrationResult;
}

export type { MethodName };
