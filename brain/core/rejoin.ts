/**
 * Going on after a while in which no brain listened: the bus was away, or the brain that led died and
 * another has taken its place. What nobody heard then is no silence of the source's.
 */
import type { OperationKind } from '../../shared/command.ts';
import { abandon, answer } from './commands.ts';
import type { Input } from './input.ts';
import type { Migration } from './migration.ts';

type Rejoin = Extract<Input, { kind: 'rejoin' }>;

/**
 * Agents let go of every throttle 5 s after the last beacon. Whoever led may have been heard for less
 * long than he spoke, so from here on nobody can say what is in force.
 */
const doubtMilliseconds = 3_000;

/** Set to the same once more they change nothing; of the others QEMU's status tells. */
const repeatable: ReadonlySet<OperationKind> = new Set(['probe', 'arm', 'listen', 'restore']);

/** The migration as it was left, heard again from now on. */
export function rejoined(migration: Migration, { atMilliseconds, known }: Rejoin): Migration {
  return {
    ...(known ?? migration),
    nowMilliseconds: atMilliseconds,
    listeningSinceMilliseconds: atMilliseconds,
  };
}

/** A command of another brain is under way: its answer went to that one. */
export function withoutAnswer(migration: Migration, input: Input): Migration {
  const { pending, id } = migration;
  if (input.kind !== 'rejoin' || input.known === undefined || !pending) return migration;
  const { number, operation } = pending.decision;
  const result = {
    id: `${id}.${String(number)}`,
    outcome: 'indeterminate',
    reason: 'the brain that sent it is gone, and the answer with it',
  } as const;
  return repeatable.has(operation.kind)
    ? abandon(migration, result)
    : answer(migration, number, result);
}

/** Whether agents may have let go of what was ordered. */
export function isInDoubt(input: Input): input is Rejoin {
  return input.kind === 'rejoin' && input.silentMilliseconds >= doubtMilliseconds;
}
