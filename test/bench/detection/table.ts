/** The judgement for people. */
import { ofOutcome, spreadOf, type Judged, type Judgement } from './judge.ts';
import { goalsOf, isMisread, isTooLate } from './goals.ts';

/** One section: all rules on the same guests, then what ours misjudged. */
export function sectionOf(title: string, judgements: readonly Judgement[]): string {
  const [ours] = judgements;
  if (ours === undefined) return '';
  const lines = [
    `## ${title}`,
    '',
    row([
      'rule',
      'right calls',
      'misses',
      'false alarms',
      'of these misread',
      'right silence',
      'late, rounds: median / p95 / worst',
      'late, seconds: median / p95 / worst',
    ]),
    row(Array.from({ length: 8 }, () => '---')),
    ...judgements.map(ruleRow),
    '',
    ...goalsOf(ours).map(
      ({ goal, figures, holds }) =>
        `- ${goal}: **${holds ? 'holds' : 'does not hold'}** (${figures})`,
    ),
    '',
    ...shapeLines(ours),
    '',
    `### What ${ours.rule} misjudged`,
    '',
    row(['seed', 'guest', 'judgement', 'why']),
    row(['---', '---', '---', '---']),
    ...ours.judged.filter(isMisjudged).map(misjudgedRow),
    '',
  ];
  return lines.join('\n');
}

/** False alarms by shape: a guest that stops its burst looks like one that will not until it does. */
function shapeLines({ judged }: Judgement): readonly string[] {
  const shapes = [...new Set(judged.map(({ watched }) => watched.workload))].sort();
  return [
    row(['guest', 'number', 'false alarms', 'of these misread']),
    row(['---', '---', '---', '---']),
    ...shapes.map((shape) => {
      const all = judged.filter(({ watched }) => watched.workload === shape);
      const alarms = all.filter(({ outcome }) => outcome === 'false alarm');
      return row([
        shape,
        ...[all, alarms, alarms.filter(isMisread)].map(({ length }) => `${length}`),
      ]);
    }),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ruleRow(judgement: Judgement): string {
  const all = judgement.judged.length;
  const alarms = ofOutcome(judgement, 'false alarm');
  const counts = (['right call', 'miss'] as const).map((outcome) =>
    String(ofOutcome(judgement, outcome).length),
  );
  const late = (['rounds', 'seconds'] as const).map((figure) => {
    const { median, p95, worst } = spreadOf(judgement, figure);
    const digits = figure === 'rounds' ? 0 : 1;
    return [median, p95, worst].map((value) => toText(value, digits)).join(' / ');
  });
  return row([
    judgement.rule,
    ...counts,
    `${alarms.length} (${((100 * alarms.length) / all).toFixed(1)} %)`,
    String(alarms.filter(isMisread).length),
    String(ofOutcome(judgement, 'right silence').length),
    ...late,
  ]);
}

function toText(value: number, digits: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(digits);
}

function isMisjudged(judged: Judged): boolean {
  return ['miss', 'false alarm'].includes(judged.outcome) || isTooLate(judged);
}

function misjudgedRow(judged: Judged): string {
  const { watched, outcome, lateness } = judged;
  const late = `${lateness?.rounds ?? 0} rounds late`;
  return row([
    String(watched.seed),
    watched.workload,
    outcome === 'right call' ? late : outcome,
    reasonOf(judged),
  ]);
}

/** Why it went wrong, in words. */
export function reasonOf({ watched, call, outcome, lateness }: Judged): string {
  if (call === undefined) {
    const last = watched.syncs.slice(-3).map(({ remainingBytes }) => inMebibytes(remainingBytes));
    return `its backlogs never stood still for two rounds: at last ${last.join(', ')}`;
  }
  const above = `the backlog was ${call.backlogShare.toFixed(2)} times the switchover threshold`;
  if (outcome === 'right call') {
    return `${above}, and its excess over that shrank on for ${(lateness?.seconds ?? 0).toFixed(1)} s`;
  }
  const later = ((watched.endMilliseconds - call.atMilliseconds) / 1000).toFixed(1);
  return call.isTrueOfTheMoment
    ? `true of the moment: going on like that it would not have ended; the guest stopped, and it ended ${later} s later`
    : `misread: ${above}, and it ended ${later} s later`;
}

function inMebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
