/**
 * Runs one migration through the core: one queue of inputs, taken in order, one at a time. The
 * order in which inputs leave this queue is the order that is recorded and replayed.
 */
import type { CommandResult } from '../../shared/command.ts';
import type { Decision } from '../core/decision.ts';
import type { Input } from '../core/input.ts';
import type { Migration } from '../core/migration.ts';
import type { Tell } from '../listeners.ts';

/** The core's entry points, `brain/core/reduce.ts`. */
export type Start = (order: {
  readonly id: string;
  readonly policy: string;
  readonly atMilliseconds: number;
}) => Migration;

export type Reduce = (
  migration: Migration,
  input: Input,
) => { readonly migration: Migration; readonly decisions: readonly Decision[] };

export interface RunnerOptions {
  readonly migration: Migration;
  readonly reduce: Reduce;
  readonly tell: Tell;
  /** Told of a state that another brain would need to go on, before what it decided is carried out. */
  readonly keep: (migration: Migration) => void;
  /** By how much the migration's time is ahead of the brain's; 0 for one that was begun here. */
  readonly aheadMilliseconds: number;
  /** Carries a decision out; never rejects. */
  readonly execute: (decision: Decision) => Promise<CommandResult>;
  readonly now: () => number;
  /** Told when the core itself fails; the input is then without effect. */
  readonly onError: (error: unknown, input: Input) => void;
}

export interface Runner {
  readonly feed: (input: Input) => void;
  readonly migration: () => Migration;
  /** Takes no input any more: another brain goes on with the migration. */
  readonly stop: () => void;
}

/** Begins with the migration as `start` made it; nothing happens before the first input. */
export function createRunner(options: RunnerOptions): Runner {
  const queue: Input[] = [];
  let migration = options.migration;
  let draining = false;
  let isStopped = false;

  const step = (input: Input) => {
    const before = migration;
    const reduced = reduceOrReport(options, before, input);
    if (reduced === undefined) return;
    migration = reduced.migration;
    if (isNewState(before, migration)) options.keep(migration);
    for (const decision of reduced.decisions) void execute(decision);
    announce(options.tell, before, migration, input, reduced.decisions);
  };
  const execute = async (decision: Decision) => {
    const result = await options.execute(decision);
    const { number } = decision;
    feed({ kind: 'result', atMilliseconds: options.now(), decision: number, result });
  };
  const feed = (input: Input) => {
    queue.push(input);
    if (draining || isStopped) return;
    draining = true;
    for (let next = queue.shift(); next; next = queue.shift()) {
      const atMilliseconds = next.atMilliseconds + options.aheadMilliseconds;
      step(inOrder({ ...next, atMilliseconds }, migration.nowMilliseconds));
    }
    draining = false;
  };
  const stop = () => {
    isStopped = true;
  };
  return { feed, migration: () => migration, stop };
}

/** More than that time has passed and samples have come: those come to the next brain as well. */
function isNewState(before: Migration, after: Migration): boolean {
  const names = ['phase', 'order', 'decisions', 'rounds', 'heldBecause', 'abortReason'] as const;
  return names.some((name) => before[name] !== after[name]);
}

/** Time never runs backwards for the core. */
function inOrder(input: Input, notBeforeMilliseconds: number): Input {
  return { ...input, atMilliseconds: Math.max(input.atMilliseconds, notBeforeMilliseconds) };
}

function reduceOrReport({ reduce, onError }: RunnerOptions, migration: Migration, input: Input) {
  try {
    return reduce(migration, input);
  } catch (error) {
    onError(error, input);
    return undefined;
  }
}

function announce(
  tell: Tell,
  before: Migration,
  after: Migration,
  input: Input,
  decisions: readonly Decision[],
): void {
  tell((listener) => listener.onInput?.(after, input));
  for (const round of added(before.rounds, after.rounds)) {
    tell((listener) => listener.onRound?.(after, round));
  }
  for (const note of added(before.notes, after.notes)) {
    tell((listener) => listener.onNote?.(after, note));
  }
  for (const decision of decisions) {
    tell((listener) => listener.onDecision?.(after, decision));
  }
  const { result } = after;
  if (result && !before.result) tell((listener) => listener.onSettled?.(after, result));
}

/** What is new in a list, also when the core has dropped old entries from its front. */
function added<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const last = before.at(-1);
  return last === undefined ? after : after.slice(after.lastIndexOf(last) + 1);
}
