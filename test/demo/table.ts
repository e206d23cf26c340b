import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { paint, span, type Line, type Style } from '../../cli/terminal/style.ts';
import type { DemoResult } from './run.ts';

const labelColumns = 20;
const figureColumns = 22;

type Row = readonly [label: string, figure: (result: DemoResult) => string];

const rows: readonly Row[] = [
  ['outcome', ({ outcome }) => outcome],
  ['time', ({ totalMilliseconds }) => formatMilliseconds(totalMilliseconds)],
  [
    'guest work lost',
    ({ guestWorkLostSeconds }) => formatMilliseconds(guestWorkLostSeconds * 1000),
  ],
  [
    'longest guest gap',
    ({ longestGuestGapMilliseconds }) => formatMilliseconds(longestGuestGapMilliseconds),
  ],
  ['sent', ({ transferredBytes }) => formatBytes(transferredBytes)],
  ['rounds', ({ rounds }) => String(rounds)],
  ['highest throttle', ({ maxThrottlePercent }) => `${maxThrottlePercent.toFixed(0)} %`],
];

/** The runs side by side, in order. */
export function comparisonTable(results: readonly DemoResult[], style: Style): string[] {
  const heads = results.map(({ policy }) => span(policy.padStart(figureColumns), 'strong'));
  const head: Line = [span(''.padEnd(labelColumns)), ...heads];
  const lines = rows.map(([label, figure]): Line => [
    span(label.padEnd(labelColumns), 'faint'),
    ...results.map((result) => span(figure(result).padStart(figureColumns))),
  ]);
  return [head, ...lines].map((line) => paint(line, style));
}
