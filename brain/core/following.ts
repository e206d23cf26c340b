/**
 * Migrations that somebody else has started (virsh, a cloud's scheduler, a script): seen, explained
 * and, where the mode is `act`, tuned with what they were started with. They are never begun,
 * restarted or given up here: whoever started one answers for it.
 */
import type { Arming } from '../../shared/command.ts';
import type { Migration } from './migration.ts';
import { opened } from './plan.ts';

/** Whether somebody else has started it. */
export function isFollowed({ order }: Migration): boolean {
  return order?.verb === 'follow';
}

/** Whether anything may be sent for its sake. */
export function maySend({ order }: Migration): boolean {
  return order?.verb !== 'follow' || order.mode === 'act';
}

/** Whether what would be done is worth a note. */
export function isAdvised({ order }: Migration): boolean {
  return order?.verb === 'follow' && order.mode === 'advise';
}

/** Without word from the agent nothing is known to be armed. */
const unknownArming: Arming = { family: 'plain', autoConverge: false, postCopy: false };

/** Takes up a migration amid its way, at the sample that showed it; QEMU knows since when it runs. */
export function joined(migration: Migration): Migration {
  const { nowMilliseconds, last } = migration;
  const startedAtMilliseconds = nowMilliseconds - (last?.totalMilliseconds ?? 0);
  const attempt = opened(
    { ...migration, nowMilliseconds: startedAtMilliseconds },
    {
      arming: migration.source?.foreignArming ?? unknownArming,
      tuning: {},
      method: 'plan',
      rule: 'started-by-somebody-else',
      evidence: {},
    },
  );
  return {
    ...attempt,
    nowMilliseconds,
    orderedAtMilliseconds: startedAtMilliseconds,
    lastProgressAtMilliseconds: nowMilliseconds,
    phase: 'moving',
  };
}
