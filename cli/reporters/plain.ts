import type { Migration } from '../../brain/core/migration.ts';
import { decisionLine, noteLine, roundLine } from '../terminal/plain.ts';
import type { Style } from '../terminal/style.ts';
import { renderSummary } from '../terminal/summary.ts';
import type { Output, Reporter } from './reporter.ts';

/** A line for each thing that happens: for logs, pipes and terminals that cannot be redrawn. */
export function createPlainReporter(output: Output, style: Style): Reporter {
  const print = (line: string) => {
    output.write(`${line}\n`);
  };
  return {
    onRound: (migration, round) => {
      print(roundLine(round, startOf(migration)));
    },
    onDecision: (migration, decision) => {
      print(decisionLine(decision, startOf(migration)));
    },
    onNote: (migration, note) => {
      print(noteLine(note, startOf(migration)));
    },
    onSettled: (migration) => {
      renderSummary(migration, style).forEach(print);
    },
    say: (message) => {
      print(`ferryman: ${message}`);
    },
    close: () => undefined,
  };
}

function startOf(migration: Migration): number {
  return migration.orderedAtMilliseconds ?? migration.nowMilliseconds;
}
