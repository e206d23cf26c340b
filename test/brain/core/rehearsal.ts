/** The core with scripted agents around it. */
import type { CommandResult, Endpoint } from '../../../shared/command.ts';
import type { Objective } from '../../../shared/objective.ts';
import type { MigrationSample, VmFacts } from '../../../shared/sample.ts';
import type { Decision, Side } from '../../../brain/core/decision.ts';
import type { Input } from '../../../brain/core/input.ts';
import type { Migration, Phase } from '../../../brain/core/migration.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { migrateOrder, vmFacts } from './support.ts';

/** Freezes all the way down, so that whoever writes to it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/** What a scripted agent answers to a decision; `silence` is no answer at all. */
export type Answers = (decision: Decision) => Partial<CommandResult> | 'silence';

/** Every input goes through a frozen state: a reducer that mutates its argument fails any rehearsal. */
export interface Rehearsal {
  readonly migration: Migration;
  /** `side operation` of every decision so far. */
  readonly operations: readonly string[];
  readonly decisions: readonly Decision[];
  /** Every phase the migration rested in, without repetition in a row. */
  readonly phases: readonly Phase[];
  /**
   * A sample of the source, a tenth of a second after the input before. When it says completed, so
   * does the destination a moment later.
   */
  see(sample: MigrationSample, afterMilliseconds?: number): void;
  feed(input: Input): void;
  /** Ticks for so long, one a second. */
  wait(milliseconds: number): void;
  abort(reason: string): void;
  detach(side: Side): void;
}

const answerMilliseconds = 5;

interface RehearsalOptions {
  readonly policy?: string;
  readonly objective?: Partial<Objective>;
  readonly answers?: Answers;
  readonly source?: Partial<VmFacts>;
  readonly destination?: Partial<VmFacts>;
  readonly endpoint?: Endpoint;
}

/** Both sides attached and the order given; agents answer at once what `answers` says, else `applied`. */
export function rehearse(options: RehearsalOptions = {}): Rehearsal {
  const { policy = 'none', objective = {}, answers = () => ({}) } = options;
  let migration = startMigration({ id: 'm', policy, atMilliseconds: 0 });
  let nowMilliseconds = 0;
  const decisions: Decision[] = [];
  const phases: Phase[] = [];

  function feed(input: Input): void {
    nowMilliseconds = input.atMilliseconds;
    const reduced = reduce(deepFreeze(migration), deepFreeze(input));
    migration = reduced.migration;
    if (phases.at(-1) !== migration.phase) phases.push(migration.phase);
    decisions.push(...reduced.decisions);
    for (const decision of reduced.decisions) reply(decision);
  }

  function reply(decision: Decision): void {
    const answer = answers(decision);
    if (answer === 'silence') return;
    const result = { id: `m.${decision.number}`, outcome: 'applied' as const, ...answer };
    const atMilliseconds = nowMilliseconds + answerMilliseconds;
    feed({ kind: 'result', atMilliseconds, decision: decision.number, result });
  }

  function see(sample: MigrationSample, afterMilliseconds = 100): void {
    const atMilliseconds = nowMilliseconds + afterMilliseconds;
    feed({ kind: 'sample', atMilliseconds, side: 'source', sample });
    if (sample.status !== 'completed') return;
    feed({ kind: 'sample', atMilliseconds: nowMilliseconds + 5, side: 'destination', sample });
  }

  function wait(milliseconds: number): void {
    const end = nowMilliseconds + milliseconds;
    while (nowMilliseconds < end) feed({ kind: 'tick', atMilliseconds: nowMilliseconds + 1000 });
  }

  for (const side of ['source', 'destination'] as const) {
    feed({ kind: 'attach', atMilliseconds: 0, side, facts: vmFacts(side, options[side]) });
  }
  const order = migrateOrder(objective);
  const { endpoint = order.endpoint } = options;
  feed({ kind: 'order', atMilliseconds: 0, order: { ...order, endpoint } });
  return {
    get migration() {
      return migration;
    },
    get operations() {
      return decisions.map(({ side, operation }) => `${side} ${operation.kind}`);
    },
    decisions,
    phases,
    see,
    feed,
    wait,
    abort: (reason) =>
      feed({ kind: 'order', atMilliseconds: nowMilliseconds, order: { verb: 'abort', reason } }),
    detach: (side) =>
      feed({ kind: 'detach', atMilliseconds: nowMilliseconds, side, reason: 'QEMU exited' }),
  };
}
