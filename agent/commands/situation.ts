/** What the gate knows of a VM when it judges a command. */
import type { Arming } from '../../shared/command.ts';
import type { VmFacts } from '../../shared/sample.ts';
import { isIdle, isPostCopy } from '../qemu/status.ts';

/** One VM, freshly asked. */
export interface Situation {
  /** `runState` and `migrationStatus` are of this moment. */
  readonly facts: VmFacts;
  /** The arming that this agent applied and has not restored since. */
  readonly armed?: Arming;
  /** True from the moment post-copy was ordered for the migration under way, whatever became of it. */
  readonly postCopyRequested: boolean;
  /** What QEMU's own throttle denies the guest now; absent until it first engaged. */
  readonly qemuThrottlePercent?: number;
}

/** Where a VM stands. */
export type VmState = Pick<VmFacts, 'runState' | 'migrationStatus'>;

/** Nothing is under way. A destination that listens (`setup`) counts: nothing has come in yet. */
export function isAtRest({ runState, migrationStatus }: VmState): boolean {
  return isIdle(migrationStatus) || (runState === 'inmigrate' && migrationStatus === 'setup');
}

/** The VM is on its way from here. What comes in has only a status, and events tell when it changes. */
export function isSending({ runState, migrationStatus }: VmState): boolean {
  return runState !== 'inmigrate' && !isIdle(migrationStatus);
}

/** The guest still runs here and its memory is being copied: the time in which throttling helps. */
export function isPreCopy(vm: VmState): boolean {
  return isSending(vm) && !isPostCopy(vm.migrationStatus);
}
