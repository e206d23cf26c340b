/** How an agent lets go of VMs: when the brain falls silent, and when the agent itself stops. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Operation } from '../../shared/command.ts';
import { vmKey } from '../commands/executor.ts';
import type { Journal } from '../commands/journal.ts';
import type { Locks } from '../commands/locks.ts';
import type { HostPolicy } from '../host/policy-file.ts';
import { preconditionProblem } from '../commands/preconditions.ts';
import type { AttachedVm } from '../vms/vm.ts';

export interface LettingGoOptions {
  readonly policy: HostPolicy;
  readonly journal: Journal;
  readonly locks: Locks;
  readonly log: Log;
  readonly vms: () => readonly AttachedVm[];
}

export interface LettingGo {
  /** Every throttle that ferryman set to the floor. */
  floorAll(): Promise<void>;
  /** The same whatever the mode: the host policy has just become tighter. */
  surrender(): Promise<void>;
  /** Calls back the pre-copy migrations that ferryman armed; post-copy is never touched. */
  cancelAll(): Promise<void>;
  /** Settings back where nothing is under way, throttles to the floor elsewhere. */
  farewell(): Promise<void>;
}

/** On the way out a VM that does not answer is not waited for longer. */
const farewellMilliseconds = 2000;

/** None of these reject: what cannot be let go of is logged, the others are not held up. */
export function createLettingGo(options: LettingGoOptions): LettingGo {
  const { policy, log, locks, vms } = options;

  const all = async (work: (vm: AttachedVm) => Promise<unknown>): Promise<void> => {
    const attempts = vms().map((vm) =>
      locks
        .run(vmKey(vm.ref), () => work(vm))
        .catch((error: unknown) => {
          log.warn({ vm: vm.ref.uuid, error: messageOf(error) }, 'could not let go of a VM');
        }),
    );
    await Promise.all(attempts);
  };
  const each: typeof all = async (work) => {
    if (policy.mode === 'act') await all(work);
  };
  return {
    floorAll: () => each((vm) => vm.floor()),
    surrender: () => all((vm) => vm.floor()),
    cancelAll: () => each((vm) => applyIfAllowed(vm, { kind: 'cancel' }, options)),
    farewell: () =>
      Promise.race([
        each(async (vm) => {
          const isRestored = await applyIfAllowed(vm, { kind: 'restore' }, options);
          if (!isRestored) await vm.floor();
        }),
        sleep(farewellMilliseconds, undefined, { ref: false }),
      ]),
  };
}

/** Does to a VM that ferryman armed what its state allows; false when it does not. */
async function applyIfAllowed(
  vm: AttachedVm,
  operation: Extract<Operation, { kind: 'cancel' | 'restore' }>,
  { journal, policy }: LettingGoOptions,
): Promise<boolean> {
  const postCopyRequested = journal.postCopyRequested(vmKey(vm.ref));
  const situation = { ...(await vm.situation()), postCopyRequested };
  if (situation.armed === undefined) return false;
  if (preconditionProblem(operation, situation, policy) !== undefined) return false;
  await vm.apply(operation);
  return true;
}
