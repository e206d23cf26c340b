import type { Decision } from '../../brain/core/decision.ts';
import type { DecisionRecord, Migration, MigrationResult } from '../../brain/core/migration.ts';
import { effectsOf } from '../../brain/core/effect.ts';
import { explain, explainEffect } from '../../brain/words/explain.ts';
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { describeOperation } from '../../brain/words/operations.ts';
import { paint, span, wrap, type Line, type Style } from './style.ts';
import { symbolsFor } from './symbols.ts';

const widestColumns = 100;
const shownEffects = 3;

/** The closing lines: what came of it, what it cost the guest, and the decisions that made it so. */
export function renderSummary(migration: Migration, style: Style): string[] {
  if (migration.result === undefined) return [];
  const fitted = { ...style, columns: Math.min(style.columns, widestColumns) };
  return [
    ...outcomeLines(migration, fitted),
    ...why(migration, fitted),
    ...effects(migration, fitted),
  ].map((line) => paint(line, fitted));
}

/** What came of it and what it cost; nothing while it runs. */
export function outcomeLines(migration: Migration, style: Style): readonly Line[] {
  const { result } = migration;
  if (result === undefined) return [];
  const name = migration.source?.name ?? migration.id;
  return [outcomeLine(name, result, style), ...costLines(result, style)];
}

function outcomeLine(name: string, result: MigrationResult, style: Style): Line {
  const { bullet, separator } = symbolsFor(style);
  const completed = result.outcome === 'completed';
  const story = completed
    ? `moved in ${formatMilliseconds(result.totalMilliseconds)}, ` +
      `downtime ${formatMilliseconds(result.downtimeMilliseconds)}`
    : `still runs at the source${result.reason === undefined ? '' : `${separator}${result.reason}`}`;
  return [
    span(`${bullet} ${result.outcome}`, completed ? 'good' : 'bad'),
    span(
      `${separator}${name} ${completed || !result.postCopy ? story : 'needs attention'}`,
      'strong',
    ),
  ];
}

function costLines(result: MigrationResult, style: Style): readonly Line[] {
  const { separator } = symbolsFor(style);
  const throttle =
    result.throttleSeconds > 0
      ? `throttled up to ${result.maxThrottlePercent.toFixed(0)} %, ` +
        `${formatMilliseconds(result.throttleSeconds * 1000)} of its time taken`
      : 'never throttled';
  const facts = [
    `${formatBytes(result.transferredBytes)} sent`,
    counted(result.rounds, 'round'),
    throttle,
    ...(result.restarts > 0 ? [counted(result.restarts, 'restart')] : []),
    ...(result.postCopy ? ['post-copy'] : []),
    `prepared in ${formatMilliseconds(result.preparationMilliseconds)}`,
  ];
  return wrap(facts.join(separator), style.columns - 2).map((piece) => [span(`  ${piece}`)]);
}

/** The decisions that tuned the migration, in their own words; the plan's steps go without saying. */
function why(migration: Migration, style: Style): readonly Line[] {
  return migration.decisions
    .filter(mattered)
    .flatMap(({ decision }) => told(explain(decision), symbolsFor(style).mark, style));
}

/** What the first decisions promised, and what came of it; the choice before the start is the first. */
function effects(migration: Migration, style: Style): readonly Line[] {
  return effectsOf(migration)
    .filter(({ decision }) => decision.side === 'source')
    .slice(0, shownEffects)
    .flatMap((effect) =>
      told(`${inBrief(effect.decision)}: ${explainEffect(effect)}`, symbolsFor(style).mark, style),
    );
}

function inBrief({ operation }: Decision): string {
  return describeOperation(operation.kind === 'arm' ? { ...operation, tuning: {} } : operation);
}

function told(sentence: string, mark: string, style: Style): readonly Line[] {
  return wrap(sentence, style.columns - 4).map((piece, index) => [
    span(index === 0 ? `  ${mark} ` : '    ', 'faint'),
    span(piece),
  ]);
}

function mattered({ decision, outcome }: DecisionRecord): boolean {
  return decision.method !== 'plan' && decision.side === 'source' && outcome !== 'refused';
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
