/** The outages as Markdown, and which promises were not kept. */
import type { OutageReport } from '../../system/outage-scenarios.ts';

export interface OutageRow extends OutageReport {
  readonly outage: string;
  readonly qemu: string;
}

/** Ten beacons of 500 ms missed, a quarter of a second of checking, and a sample that shows it. */
const floorMilliseconds = 6_000;
/** After the return of NATS. */
const resumeMilliseconds = 2_000;

const columns = [
  'outage',
  'QEMU',
  'ended',
  'guest free after',
  'applied meanwhile',
  'first command after',
  'samples',
  'hosts',
  'rounds',
  'decisions',
  'results',
];

/** One row for each run; the counts are what history has, each of it exactly once. */
export function outageTable(rows: readonly OutageRow[]): string {
  const cells = rows.map((row) => [
    row.outage,
    row.qemu,
    `${row.result.outcome}, ${(row.result.totalMilliseconds / 1000).toFixed(1)} s`,
    inSeconds(row.floorMilliseconds),
    String(row.appliedMeanwhile.length),
    inSeconds(row.resumedMilliseconds),
    ...Object.values(row.history).map(String),
  ]);
  const lines = [columns, columns.map(() => '---'), ...cells].map(
    (line) => `| ${line.join(' | ')} |`,
  );
  const verdicts = misses(rows);
  return [...lines, '', ...(verdicts.length === 0 ? ['All promises were kept.'] : verdicts)].join(
    '\n',
  );
}

/** What was promised and not kept, in words. */
export function misses(rows: readonly OutageRow[]): readonly string[] {
  return rows.flatMap((row) => {
    const isNats = row.outage.startsWith('nats');
    const late = (what: string, took: number | undefined, limit: number) =>
      isNats && (took ?? Infinity) > limit ? [`${what} after ${inSeconds(took)}`] : [];
    const problems = [
      ...(row.result.outcome === 'completed' ? [] : [`it ended as ${row.result.outcome}`]),
      ...late('the guest was free', row.floorMilliseconds, floorMilliseconds),
      ...late('the first command came', row.resumedMilliseconds, resumeMilliseconds),
      ...(isNats && row.appliedMeanwhile.length > 0 ? ['a command was applied meanwhile'] : []),
    ];
    return problems.map((problem) => `- Missed: ${row.outage}, QEMU ${row.qemu}: ${problem}.`);
  });
}

function inSeconds(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '–' : `${(milliseconds / 1000).toFixed(1)} s`;
}
