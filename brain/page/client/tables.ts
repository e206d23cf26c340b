/** The figures behind the charts as tables: for who cannot see them, and for who wants to know. */
import { formatBytes, formatMilliseconds } from '../../words/figures.ts';
import type { Comparison, RoundView } from '../view/view.ts';
import { element } from './dom.ts';

/** Cards of what was promised and what came. */
export function comparisonCards(comparisons: readonly Comparison[]): readonly HTMLElement[] {
  return comparisons.map(({ name, predicted, measured, isOpen }) =>
    element(
      'div',
      { class: 'figure' },
      element('dt', {}, name),
      element(
        'dd',
        {},
        element('b', {}, measured ?? '–'),
        measured !== undefined && isOpen ? element('small', {}, ' so far') : undefined,
      ),
      element(
        'dd',
        { class: 'predicted' },
        predicted === undefined ? 'not predicted' : `predicted ${predicted}`,
      ),
    ),
  );
}

const headings = ['round', 'began', 'took', 'backlog found', 'foreseen', 'off by', 'held back'];

/** One row for each round, the newest first. */
export function roundsTable(rounds: readonly RoundView[]): HTMLElement {
  const hasRestarts = rounds.some(({ attempt }) => attempt > 1);
  return element(
    'table',
    {},
    element('caption', { class: 'unseen' }, 'Rounds, the newest first'),
    element(
      'thead',
      {},
      element('tr', {}, ...headings.map((text) => element('th', { scope: 'col' }, text))),
    ),
    element('tbody', {}, ...[...rounds].reverse().map((round) => roundRow(round, hasRestarts))),
  );
}

function roundRow(round: RoundView, hasRestarts: boolean): HTMLElement {
  const { number, attempt, startedAtMilliseconds: began, endedAtMilliseconds: ended } = round;
  const { startBytes, foreseenBytes: foreseen, throttlePercent } = round;
  const cells = [
    formatMilliseconds(began),
    ended === undefined ? 'running' : formatMilliseconds(ended - began),
    formatBytes(startBytes),
    foreseen === undefined ? '' : formatBytes(foreseen),
    foreseen === undefined ? '' : signedPercent(foreseen / Math.max(1, startBytes) - 1),
    throttlePercent === 0 ? '' : `${throttlePercent.toFixed(0)} %`,
  ];
  const name = hasRestarts ? `${attempt}.${number}` : String(number);
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    ...cells.map((text) => element('td', {}, text)),
  );
}

function signedPercent(share: number): string {
  return `${share > 0 ? '+' : ''}${(share * 100).toFixed(0)} %`;
}
