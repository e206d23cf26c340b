/** The record as Markdown. */
import type { BenchRecord, Cell } from './record.ts';
import { bestStatic, costOf, sceneGroups, scenesOf, type Entry, type Scene } from './statistics.ts';
import type { Verdict } from './verdicts.ts';

/** One table per QEMU and link: a row per workload, a column per policy, and the best of the static. */
export function tableOf(record: BenchRecord): string {
  const { machine, versions } = record;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const head = [
    `# Policies on real QEMU, ${record.date}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryMebibytes} MiB, ` +
      `Linux ${machine.kernel}; ${programs.join(', ')}. Given up after ${record.deadlineSeconds} s, fixed choices after ${record.fixedDeadlineSeconds} s, auto-converge after ${record.autoConvergeDeadlineSeconds} s.`,
    '',
    'A cell: J; seconds in total / guest work lost in seconds / longest gap in ms / MiB sent ' +
      '[highest throttle, post-copy, restarts]. Medians where there were more runs. ' +
      '`FAIL` did not complete; `~` was measured while others used the machine.',
  ];
  const tables = sceneGroups(scenesOf(record)).flatMap((scenes) => groupTable(scenes));
  return [...head, ...tables, ''].join('\n');
}

function groupTable(scenes: readonly Scene[]): string[] {
  const [first] = scenes;
  if (first === undefined) return [];
  const policies = policiesOf(scenes);
  const columns = ['workload', ...policies, 'best static'];
  const rows = scenes.map((scene) => {
    const entries = policies.map((policy) =>
      scene.entries.find((entry) => entry.policy === policy),
    );
    const best = bestStatic(scene);
    const winner = best === undefined ? '-' : `${best.policy} (${best.of(costOf).toFixed(1)})`;
    return row([scene.workload, ...entries.map(entryText), winner]);
  });
  return [
    '',
    `## QEMU ${first.qemu}, ${first.linkBytesPerSecond / 2 ** 20} MiB/s`,
    '',
    row(columns),
    row(columns.map(() => '---')),
    ...rows,
  ];
}

/** In the order in which they come first. */
export function policiesOf(scenes: readonly Scene[]): string[] {
  return [...new Set(scenes.flatMap(({ entries }) => entries.map(({ policy }) => policy)))];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The figures of a cell in a line; `-` where there are none. */
export function entryText(entry: Entry | undefined): string {
  if (entry === undefined) return '-';
  const total = entry.of(({ totalSeconds }) => totalSeconds).toFixed(1);
  const lost = entry.of(({ guestWorkLostSeconds }) => guestWorkLostSeconds).toFixed(2);
  const gap = entry.of(({ longestGuestGapMilliseconds }) => longestGuestGapMilliseconds).toFixed(0);
  const mebibytes = (entry.of(({ transferredBytes }) => transferredBytes) / 2 ** 20).toFixed(0);
  const cost = entry.completes ? entry.of(costOf).toFixed(1) : 'FAIL';
  const disturbed = entry.cells.some(({ isDisturbed }) => isDisturbed) ? '~' : '';
  return `${disturbed}${cost}; ${total} / ${lost} / ${gap} / ${mebibytes}${remarks(entry.cells)}`;
}

function remarks(cells: readonly Cell[]): string {
  const throttle = Math.max(...cells.map(({ maxThrottlePercent }) => maxThrottlePercent));
  const restarts = Math.max(...cells.map((cell) => cell.restarts));
  const found = [
    ...(throttle > 1 ? [`${throttle.toFixed(0)} %`] : []),
    ...(cells.some(({ postCopy }) => postCopy) ? ['post-copy'] : []),
    ...(restarts > 0 ? [`${restarts} restarts`] : []),
  ];
  return found.length === 0 ? '' : ` [${found.join(', ')}]`;
}

/** The goals, one a line. */
export function verdictLines(verdicts: readonly Verdict[]): string[] {
  return ['## What it shows', '', ...verdicts.map(verdictLine)];
}

function verdictLine({ goal, holds, figures }: Verdict): string {
  return `- ${goal}: **${inWords(holds)}** (${figures})`;
}

export function inWords(holds: boolean | undefined): string {
  if (holds === undefined) return 'nothing measured';
  return holds ? 'holds' : 'does not hold';
}
