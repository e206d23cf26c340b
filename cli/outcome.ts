import type { Migration } from '../brain/core/migration.ts';
import { exitCodes, type ExitCode } from './exit.ts';

/** What a script gets of a migration: one that an agent's gate refused was refused by policy. */
export function outcomeCode({ result, decisions }: Migration): ExitCode {
  if (result?.outcome === 'completed') return exitCodes.ok;
  const refused = decisions.some(
    ({ outcome, reason }) =>
      outcome === 'refused' && reason !== undefined && result?.reason?.includes(reason) === true,
  );
  return refused ? exitCodes.refused : exitCodes.incomplete;
}
