/** The throttle bench as Markdown. */
import { compare, workShare, type Comparison, type Row } from './figures.ts';

/** Issue's goal: the quota's longest gap is at most half of QEMU's. */
export const leastGapRatio = 2;

const columns = [
  'guest',
  'throttle',
  'work left, %',
  'vCPU, %',
  'longest gap, ms',
  'p99 gap, ms',
  'monitor median / p99 / longest, ms',
  'disk, MiB/s',
];

/** One row per window, then what follows from them. */
export function throttleTable(rows: readonly Row[]): string {
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => cellsOf(row, rows))];
  return [
    ...lines.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...compare(rows).map(sentenceOf),
  ].join('\n');
}

function cellsOf(row: Row, rows: readonly Row[]): string[] {
  const { medianMilliseconds, p99Milliseconds, longestMilliseconds } = row.monitor;
  return [
    row.guest,
    nameOf(row),
    (100 * workShare(row, rows)).toFixed(1),
    (100 * row.vcpuCores).toFixed(1),
    row.longestGapMilliseconds.toFixed(1),
    row.p99GapMilliseconds.toFixed(1),
    [medianMilliseconds, p99Milliseconds, longestMilliseconds]
      .map((each) => each.toFixed(2))
      .join(' / '),
    (row.diskBytesPerSecond / 2 ** 20).toFixed(2),
  ];
}

function nameOf({ mechanism, periodMicroseconds, isProduct }: Row): string {
  if (mechanism !== 'cgroup') return mechanism;
  if (isProduct === true) return 'cgroup, as the agent sets it';
  return `cgroup ${((periodMicroseconds ?? 0) / 1000).toFixed(1)} ms`;
}

function sentenceOf({ guest, qemu, best, gapRatio }: Comparison): string {
  const gaps = [qemu, best].map(({ longestGapMilliseconds }) => longestGapMilliseconds.toFixed(1));
  const verdict = gapRatio >= leastGapRatio ? 'holds' : 'does not hold';
  return (
    `- ${guest}: longest gap ${gaps.join(' against ')} ms with ${nameOf(best)}, ` +
    `${gapRatio.toFixed(2)} times shorter (at least ${leastGapRatio}: ${verdict})`
  );
}
