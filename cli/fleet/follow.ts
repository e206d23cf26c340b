/** Follows a migration that a brain runs elsewhere, and tells it as if it were run here. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Input } from '../../brain/core/input.ts';
import type { Migration } from '../../brain/core/migration.ts';
import { BusError } from '../../shared/errors.ts';
import type { Reporter } from '../reporters/reporter.ts';
import type { FleetClient } from './client.ts';

const lookMilliseconds = 250;
/** A brain that is started anew is there within seconds; what it did not see it cannot tell. */
const goneAfterMilliseconds = 15_000;

export interface FollowOptions {
  readonly fleet: FleetClient;
  readonly id: string;
  readonly reporter: Reporter;
  /** Told of every look; an interrupt wants to know where the migration stands. */
  readonly onLook?: (migration: Migration) => void;
  readonly signal?: AbortSignal;
}

/**
 * Looks until the migration has ended or `signal` is aborted, and returns it as it then stands.
 * Throws DeskError when the brain does not know it, BusError when no brain answers for long.
 */
export async function follow(options: FollowOptions): Promise<Migration> {
  const { reporter, signal } = options;
  let before: Migration | undefined;
  for (;;) {
    const migration = await look(options);
    options.onLook?.(migration);
    tell(reporter, before, migration);
    before = migration;
    if (isOver(migration) || signal?.aborted === true) return migration;
    await sleep(lookMilliseconds, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  }
}

/** Settled, or beyond what a brain can do. */
export function isOver({ phase }: Migration): boolean {
  return phase === 'settled' || phase === 'needs-human';
}

async function look({ fleet, id, reporter }: FollowOptions): Promise<Migration> {
  const giveUpAt = performance.now() + goneAfterMilliseconds;
  for (let tries = 1; ; tries += 1) {
    try {
      return (await fleet.ask<{ migration: Migration }>('show', { migration: id })).migration;
    } catch (error) {
      if (!(error instanceof BusError) || performance.now() > giveUpAt) throw error;
      if (tries === 1) reporter.say('the brain does not answer; the migration goes on without it');
      await sleep(lookMilliseconds);
    }
  }
}

interface News {
  readonly atMilliseconds: number;
  readonly say: () => void;
}

/** What is new since the last look, as a listener of the brain itself would have heard it. */
function tell(reporter: Reporter, before: Migration | undefined, now: Migration): void {
  const seen = before?.nowMilliseconds ?? -Infinity;
  reporter.onInput?.(now, inputOf(before, now));
  const rounds = now.rounds.map((round): News => {
    return { atMilliseconds: round.endedAtMilliseconds, say: () => reporter.onRound?.(now, round) };
  });
  const notes = now.notes.map((note): News => {
    return { atMilliseconds: note.atMilliseconds, say: () => reporter.onNote?.(now, note) };
  });
  const decisions = now.decisions.slice(before?.decisions.length ?? 0).map(({ decision }): News => {
    const { atMilliseconds } = decision;
    return { atMilliseconds, say: () => reporter.onDecision?.(now, decision) };
  });
  const news = [
    ...[...rounds, ...notes].filter((each) => each.atMilliseconds > seen),
    ...decisions,
  ];
  news.sort((one, other) => one.atMilliseconds - other.atMilliseconds);
  for (const { say } of news) say();
  const { result } = now;
  if (result && before?.result === undefined) reporter.onSettled?.(now, result);
}

/** The newest sample, once; else that time has passed. */
function inputOf(before: Migration | undefined, now: Migration): Input {
  const { last: sample, lastSampleAtMilliseconds: atMilliseconds, nowMilliseconds } = now;
  const isNew = atMilliseconds !== before?.lastSampleAtMilliseconds;
  return sample && atMilliseconds !== undefined && isNew
    ? { kind: 'sample', atMilliseconds, side: 'source', sample }
    : { kind: 'tick', atMilliseconds: nowMilliseconds };
}
