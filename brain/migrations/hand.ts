/** One migration in hand: where its sides stand now, and what runs it. */
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { CommandResult } from '../../shared/command.ts';
import type { Commander } from './commander.ts';
import type { Decision } from '../core/decision.ts';
import type { Migration } from '../core/migration.ts';
import type { Keeper } from '../leadership/keeper.ts';
import type { Tell } from '../listeners.ts';
import { reattach } from './routing.ts';
import type { Sides } from './routing.ts';
import { createRunner } from './runner.ts';
import type { Reduce, Runner } from './runner.ts';

export interface Hand {
  sides: Sides;
  readonly runner: Runner;
}

export interface HandOptions {
  readonly log: Log;
  readonly commander: Commander;
  readonly keeper: Keeper;
  readonly tell: Tell;
  readonly reduce: Reduce;
  /** The brain's time line, see timeline.ts. */
  readonly now: () => number;
}

/** By how much the migration's own time line is ahead of the brain's, when another brain began it. */
export function takeInHand(
  { reduce, now, log, tell, commander, keeper }: HandOptions,
  migration: Migration,
  sides: Sides,
  aheadMilliseconds = 0,
): Hand {
  const { id } = migration;
  const hand: Hand = {
    sides,
    runner: createRunner({
      migration,
      reduce,
      now,
      tell,
      aheadMilliseconds,
      keep: (latest) => {
        keeper.migration({ migration: latest, sides: hand.sides });
      },
      execute: (decision) => execute(commander, id, hand, decision),
      onError: (error, { kind }) => {
        log.error({ id, input: kind, error: messageOf(error) }, 'the core failed on an input');
      },
    }),
  };
  return hand;
}

/** A destination that was started anew answers with its facts; it takes its side at once. */
async function execute(
  commander: Commander,
  id: string,
  hand: Hand,
  { number, side, operation }: Decision,
): Promise<CommandResult> {
  const command = `${id}.${String(number)}`;
  const place = hand.sides[side];
  if (!place) return { id: command, outcome: 'failed', reason: `its ${side} is not known` };
  const result = await commander.send(command, place.ref, operation);
  if (result.facts) hand.sides = reattach(hand.sides, result.facts);
  return result;
}

/** Nothing more will be asked of it. */
export function isSettled({ runner }: Hand): boolean {
  return runner.migration().phase === 'settled';
}
