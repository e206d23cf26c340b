/** What is told without a terminal to redraw: one line per thing that happened. */
import type { Decision, Note } from '../../brain/core/decision.ts';
import type { Round } from '../../brain/core/migration.ts';
import { explain, explainNote } from '../../brain/words/explain.ts';
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { printable } from './style.ts';

/** `  2.3 s  round 2: 80.0 MiB in 2.5 s left 78.1 MiB`. */
export function roundLine(round: Round, startMilliseconds: number): string {
  const took = formatMilliseconds(round.endedAtMilliseconds - round.startedAtMilliseconds);
  const throttle =
    round.throttlePercent > 1 ? `, guest held back by ${round.throttlePercent.toFixed(0)} %` : '';
  return (
    `${stamp(round.endedAtMilliseconds, startMilliseconds)}  round ${String(round.number)}: ` +
    `${formatBytes(round.startRemainingBytes)} in ${took} ` +
    `left ${formatBytes(round.endRemainingBytes)}${throttle}`
  );
}

/** A decision with its reason. */
export function decisionLine(decision: Decision, startMilliseconds: number): string {
  return `${stamp(decision.atMilliseconds, startMilliseconds)}  ${printable(explain(decision))}`;
}

/** A step weighed and not taken. */
export function noteLine(note: Note, startMilliseconds: number): string {
  return `${stamp(note.atMilliseconds, startMilliseconds)}  ${printable(explainNote(note))}`;
}

function stamp(atMilliseconds: number, startMilliseconds: number): string {
  return `${((atMilliseconds - startMilliseconds) / 1000).toFixed(1)} s`.padStart(8);
}
