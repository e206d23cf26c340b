/** The live view: one migration's state in, painted lines out. Pure, so a trace can be drawn too. */
import type { Migration } from '../../brain/core/migration.ts';
import { explain } from '../../brain/words/explain.ts';
import { formatMilliseconds } from '../../brain/words/figures.ts';
import { renderBacklog } from './backlog.ts';
import { renderRates } from './rates.ts';
import { padTo, paint, span, widthOf, wrap, type Line, type Style } from './style.ts';
import { symbolsFor } from './symbols.ts';
import { elapsedMilliseconds, expectedMillisecondsLeft } from '../../brain/words/progress.ts';
import { verdictOf } from '../../brain/words/verdict.ts';

/** Decisions shown while the migration runs; the summary names the ones that mattered. */
const shownDecisions = 5;
const widestColumns = 100;

/** Renders the live view for a terminal of this style, top line first. */
export function renderMigration(migration: Migration, style: Style): string[] {
  const fitted = { ...style, columns: Math.min(style.columns, widestColumns) };
  return [
    headline(migration, fitted),
    [],
    verdictLine(migration, fitted),
    [],
    ...renderRates(migration, fitted),
    [],
    ...renderBacklog(migration, fitted),
    ...decisionLines(migration, fitted),
  ]
    .slice(0, style.rows - 1)
    .map((line) => paint(line, fitted));
}

function headline(migration: Migration, style: Style): Line {
  const { arrow, separator } = symbolsFor(style);
  const from = migration.source?.ref.host ?? 'source';
  const to = migration.destination?.ref.host ?? 'destination';
  const left = [
    span(migration.source?.name ?? migration.id, 'strong'),
    span(`  ${from} ${arrow} ${to}`),
  ];
  const right = [
    span(`${[migration.policy, ...familyOf(migration)].join(separator)}${separator}`, 'faint'),
    span(formatMilliseconds(elapsedMilliseconds(migration)), 'strong'),
  ];
  return [...padTo(left, style.columns - widthOf(right)), ...right];
}

function familyOf({ attempts }: Migration): readonly string[] {
  const family = attempts.at(-1)?.arming.family;
  return family === undefined ? [] : [family];
}

function verdictLine(migration: Migration, style: Style): Line {
  const { bullet, separator } = symbolsFor(style);
  const verdict = verdictOf(migration);
  return [
    span(`${bullet} ${verdict.word}`, verdict.tone),
    span(`${separator}${verdict.because}`),
    ...expectedEnd(migration, separator),
  ];
}

function expectedEnd(migration: Migration, separator: string): Line {
  const left = expectedMillisecondsLeft(migration);
  return left === undefined
    ? []
    : [span(`${separator}about ${formatMilliseconds(left)} to go`, 'accent')];
}

function decisionLines(migration: Migration, style: Style): readonly Line[] {
  const recent = migration.decisions.slice(-shownDecisions);
  if (recent.length === 0) return [];
  return [
    [],
    ...recent.flatMap(({ decision }, index) => {
      const at = (decision.atMilliseconds - startOf(migration)) / 1000;
      const newest = index === recent.length - 1;
      return told(`${at.toFixed(1)} s`.padStart(7), explain(decision), newest, style);
    }),
  ];
}

function startOf(migration: Migration): number {
  return migration.orderedAtMilliseconds ?? migration.nowMilliseconds;
}

/** The newest decision is told in full over several lines, older ones are cut to one. */
function told(at: string, sentence: string, newest: boolean, style: Style): readonly Line[] {
  const { mark } = symbolsFor(style);
  const indent = at.length + 3;
  const pieces = newest ? wrap(sentence, Math.max(16, style.columns - indent)) : [sentence];
  return pieces.map((piece, index) =>
    index === 0
      ? [span(`${at} ${mark} `, 'faint'), span(piece, newest ? 'plain' : 'faint')]
      : [span(' '.repeat(indent)), span(piece)],
  );
}
