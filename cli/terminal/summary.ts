import type { DecisionRecord, Migration, MigrationResult } from '../../brain/core/migration.ts';
import { explain } from '../explain.ts';
import { formatBytes, formatMilliseconds } from '../figures.ts';
import { paint, span, wrap, type Line, type Style } from './style.ts';
import { symbolsFor } from './symbols.ts';

const widestColumns = 100;

/** The closing lines: what came of it, what it cost the guest, and the decisions that made it so. */
export function renderSummary(migration: Migration, style: Style): string[] {
  const { result } = migration;
  if (result === undefined) return [];
  const fitted = { ...style, columns: Math.min(style.columns, widestColumns) };
  const name = migration.source?.name ?? migration.id;
  return [
    outcomeLine(name, result, fitted),
    ...costLines(result, fitted),
    ...why(migration, fitted),
  ].map((line) => paint(line, fitted));
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
  return migration.decisions.filter(mattered).flatMap(({ decision }) => {
    const { mark } = symbolsFor(style);
    return wrap(explain(decision), style.columns - 4).map((piece, index) => [
      span(index === 0 ? `  ${mark} ` : '    ', 'faint'),
      span(piece),
    ]);
  });
}

function mattered({ decision, outcome }: DecisionRecord): boolean {
  return decision.method !== 'plan' && decision.side === 'source' && outcome !== 'refused';
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
