/** The record for people. */
import {
  accuracyOf,
  backlogAccuracy,
  endingsForetold,
  figures,
  isComparable,
  totalError,
  type Foretold,
  type NamedGuess,
} from './foretold.ts';
import { reasonOf } from './reason.ts';

const worstShown = 10;

export function reportOf(foretold: readonly Foretold[], guesses: readonly NamedGuess[]): string {
  return [
    accuracyTable(foretold),
    ...(guesses.length > 0 ? [backlogTable(guesses)] : []),
    worstTable(foretold),
  ].join('\n\n');
}

function accuracyTable(foretold: readonly Foretold[]): string {
  const rows = groupsOf(foretold).flatMap(([name, cases]) => [
    ...figures.map((figure) => {
      const { count, median, percentile95, medianBias, coverage } = accuracyOf(cases, figure);
      return [
        name,
        figure.name,
        count,
        ...[median, percentile95, medianBias, coverage].map(percent),
      ];
    }),
    [name, 'ends or not', cases.length, '-', '-', '-', percent(endingsForetold(cases))],
  ]);
  const head = ['cases', 'figure', 'number', 'median error', '95th', 'bias', 'within range'];
  return table(head, rows);
}

/** By what was known of the link, and by family where it was configured. */
function groupsOf(foretold: readonly Foretold[]): readonly (readonly [string, Foretold[]])[] {
  const groups = new Map<string, Foretold[]>();
  for (const each of foretold) {
    const steady = each.isSteady ? 'steady' : 'changing';
    const keys = [`${each.run}, link ${each.link}, ${steady}`];
    if (each.run === 'held' && each.link === 'configured' && each.isSteady) {
      keys.push(`- ${each.predicted.family}`);
    }
    for (const key of keys) groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups].toSorted(([one], [other]) => one.localeCompare(other));
}

function backlogTable(guesses: readonly NamedGuess[]): string {
  const groups = [
    ['steady', guesses.filter(({ isSteady }) => isSteady)],
    ['steady, from the third round on', guesses.filter((each) => each.isSteady && each.round > 2)],
    ['all', guesses],
  ] as const;
  const rows = groups.map(([name, each]) => {
    const { count, median, percentile95, medianBias } = backlogAccuracy(each);
    return [name, count, ...[median, percentile95, medianBias].map(percent)];
  });
  return table(['next backlog', 'rounds', 'median error', '95th', 'bias'], rows);
}

/** Of those whose link was known, one line for each guest. */
function worstTable(foretold: readonly Foretold[]): string {
  const known = foretold.filter(({ link }) => link === 'configured');
  const byError = known
    .filter(isComparable)
    .toSorted((one, other) => Math.abs(totalError(other)) - Math.abs(totalError(one)));
  const rows = oneOfEach(byError)
    .slice(0, worstShown)
    .map((each) => [
      `${each.name} ${each.run}`,
      each.workload,
      each.predicted.family,
      seconds(each.predicted.totalMilliseconds.likely),
      seconds(each.happened.totalMilliseconds),
      reasonOf(each),
    ]);
  return table(['worst', 'workload', 'family', 'predicted', 'took', 'where it is off'], rows);
}

function oneOfEach(cases: readonly Foretold[]): readonly Foretold[] {
  return cases.filter(({ name }, index) => cases.findIndex((each) => each.name === name) === index);
}

export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function percent(share: number): string {
  return Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)} %`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
