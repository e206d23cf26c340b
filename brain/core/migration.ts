/** All the brain remembers of one migration: plain readonly data, replaced by `reduce`, never mutated. */
import type { Arming, Tuning } from '../../shared/command.ts';
import type {
  Family,
  HostSample,
  MigrationSample,
  ProbeReport,
  VmActivity,
  VmFacts,
} from '../../shared/sample.ts';
import type { Decision, Evidence, MethodName, Note, Prediction } from './decision.ts';
import type { FollowOrder, LinkEstimate, MigrateOrder } from './input.ts';
import type { WorkingSet } from './working-set.ts';

export const phases = [
  'observed',
  'probing',
  'preparing-destination',
  'arming-destination',
  'listening',
  'arming-source',
  'starting',
  'moving',
  'switching',
  'post-copy',
  'recovering-destination',
  'recovering-source',
  'cancelling',
  'restoring-source',
  'restoring-destination',
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
  /** What that sync found not sent yet. */
  readonly unsentBytes: number;
  readonly transferredBytes: number;
  /** Time in which the guest was allowed to run: integral of (1 - throttle). */
  readonly guestRunMilliseconds: number;
  readonly throttlePercent: number;
  /** What it dirtied, over what the model had expected of it. */
  readonly surprise?: number;
}

/** The round in the making. */
export interface OpenRound {
  readonly number: number;
  readonly startedAtMilliseconds: number;
  readonly startRemainingBytes: number;
  readonly startTransferredBytes: number;
  readonly startSentPages: number;
  readonly dirtySyncCount: number;
  readonly guestRunMilliseconds: number;
}

/** What to arm on both sides, and why. */
export interface ArmingPlan {
  readonly arming: Arming;
  readonly tuning: Tuning;
  readonly method: MethodName;
  readonly rule: string;
  readonly evidence: Evidence;
  readonly prediction?: Prediction;
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

/** How the migration shall end once its settings are restored. */
export interface Ending {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly endedAtMilliseconds: number;
}

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
  readonly order?: MigrateOrder | FollowOrder;
  readonly orderedAtMilliseconds?: number;
  readonly abortReason?: string;
  /** Why the VM is not to be touched; absent when it may be. */
  readonly heldBecause?: string;
  readonly source?: VmFacts;
  readonly destination?: VmFacts;
  readonly sourceHost?: HostSample;
  readonly destinationHost?: HostSample;
  readonly probe?: ProbeReport;
  /** Fitted from the probe and refitted after each round. */
  readonly workingSet?: WorkingSet;
  /** What the newest round dirtied, over what the model had expected of it. */
  readonly surprise?: number;
  readonly activity?: VmActivity;
  readonly link: LinkEstimate;
  /** Measured wire rate, smoothed; absent before the first pages. */
  readonly bandwidthBytesPerSecond?: number;
  /** The most that QEMU itself took the bandwidth for, fading. */
  readonly peakBytesPerSecond?: number;
  /** Guest RAM drained per second in the first pass and in later rounds, smoothed. */
  readonly firstPassBytesPerSecond?: number;
  readonly laterRoundsBytesPerSecond?: number;
  /** Where the span began over which the rates are measured next. */
  readonly rateMark?: {
    readonly atMilliseconds: number;
    readonly sample: MigrationSample;
    readonly isFirst: boolean;
  };
  readonly last?: MigrationSample;
  readonly lastSampleAtMilliseconds?: number;
  /** From the sample before to the last one. */
  readonly sinceSampleBeforeMilliseconds?: number;
  readonly destinationStatus?: string;
  /** When `migrate` was answered; a look that began before may tell of the attempt before. */
  readonly begunAtMilliseconds?: number;
  /** Before it nobody listened for a while. */
  readonly listeningSinceMilliseconds?: number;
  /** When `transferred` last grew. */
  readonly lastProgressAtMilliseconds?: number;
  /** Parameters as last written, merged over the attempt. */
  readonly tuning: Tuning;
  readonly openRound?: OpenRound;
  readonly rounds: readonly Round[];
  readonly attempts: readonly Attempt[];
  /** Families tried and given up, in order (`ladder`, restarts). */
  readonly triedFamilies: readonly Family[];
  /** Throttle as last ordered and acknowledged, 0 when released or inert. */
  readonly orderedThrottlePercent: number;
  /** Round in which it was ordered. */
  readonly orderedThrottleRound: number;
  /** How long that throttle may hold the guest at a stretch. */
  readonly throttlePauseMilliseconds?: number;
  readonly throttleSeconds: number;
  readonly maxThrottlePercent: number;
  readonly pending?: PendingCommand;
  readonly decisions: readonly DecisionRecord[];
  readonly notes: readonly Note[];
  readonly ending?: Ending;
  /** The arming that a restart shall use; absent when no restart is under way. */
  readonly nextArming?: ArmingPlan;
  /** Tries at recovering a broken post-copy. */
  readonly recoveries: number;
  readonly recoveredAtMilliseconds?: number;
  /** Free-form memory of a policy between decisions; plain data. */
  readonly policyMemory: Readonly<Record<string, number | string | boolean>>;
  readonly result?: MigrationResult;
}
