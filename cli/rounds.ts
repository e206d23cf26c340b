/** A round in figures for people, for whoever draws a table of them. */
import type { Round } from '../brain/core/migration.ts';
import { formatBytes, formatMilliseconds } from '../brain/words/figures.ts';

export const roundHeadings = ['round', 'began', 'took', 'backlog', 'sent', 'left', 'throttle'];

/** One text for each heading; `start` is the migration's, in Unix milliseconds. */
export function roundFigures(round: Round, start: number): readonly string[] {
  const { startedAtMilliseconds: began, endedAtMilliseconds: ended } = round;
  return [
    String(round.number),
    formatMilliseconds(began - start),
    formatMilliseconds(ended - began),
    formatBytes(round.startRemainingBytes),
    formatBytes(round.transferredBytes),
    formatBytes(round.endRemainingBytes),
    round.throttlePercent > 1 ? `${round.throttlePercent.toFixed(0)} %` : 'none',
  ];
}
