/** The contract of a policy. Observing is shared; only these two choices differ between policies. */
import type { Operation } from '../../../shared/command.ts';
import type { Evidence, MethodName, Prediction } from '../decision.ts';
import type { ArmingPlan, Migration } from '../migration.ts';

interface Reasoned {
  readonly method: MethodName;
  readonly rule: string;
  readonly evidence: Evidence;
  readonly prediction?: Prediction;
}

/** What a policy wants while the migration moves. */
export type Move = Reasoned &
  (
    | { readonly kind: 'command'; readonly operation: Operation }
    /** Cancel and start anew with these settings. */
    | { readonly kind: 'restart'; readonly plan: ArmingPlan }
    /** Cancel and leave the VM running on the source. */
    | { readonly kind: 'give-up' }
    /** Nothing is sent: a step that was considered, for the record. */
    | { readonly kind: 'note' }
  ) & {
    /** What the policy wants to remember. */
    readonly memory?: Readonly<Record<string, number | string | boolean>>;
  };

export interface Policy {
  readonly name: string;
  /** Whether the workload is probed before the start. */
  readonly probes: boolean;
  /** What to arm for the first attempt. */
  plan(migration: Migration): ArmingPlan;
  /** The next move; called after every sample of a running pre-copy with no command under way. */
  decide(migration: Migration): Move | undefined;
}
