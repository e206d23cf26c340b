/** Two policies over the inputs of one recorded run, side by side. */
import { canonicalJson } from '../brain/trace/canonical-json.ts';
import type { Decision } from '../brain/core/decision.ts';
import type { Replay } from '../brain/trace/replay.ts';
import { explain } from '../brain/words/explain.ts';
import { inWords } from '../brain/words/figures.ts';
import { describeOperation } from '../brain/words/operations.ts';
import type { Output } from './reporters/reporter.ts';
import { paint, span, styleFor, wrap, type Line } from './terminal/style.ts';
import { table } from './terminal/table.ts';

export type Compared = readonly [Replay, Replay];

/** What each of two policies did at one moment; `same` is the same operation on the same side. */
export interface ComparedStep {
  readonly atMilliseconds: number;
  readonly decisions: readonly [Decision | undefined, Decision | undefined];
  readonly same: boolean;
}

/** Merges the decisions of two replays by their time. */
export function compareDecisions([left, right]: Compared): readonly ComparedStep[] {
  const steps: ComparedStep[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [first, second] = [left.decisions[i], right.decisions[j]];
    const at = Math.min(first?.atMilliseconds ?? Infinity, second?.atMilliseconds ?? Infinity);
    if (at === Infinity) return steps;
    const isDue = (decision: Decision | undefined) => decision?.atMilliseconds === at;
    const decisions = [
      isDue(first) ? first : undefined,
      isDue(second) ? second : undefined,
    ] as const;
    if (decisions[0]) i += 1;
    if (decisions[1]) j += 1;
    steps.push({ atMilliseconds: at, decisions, same: isSame(decisions) });
  }
}

function isSame([left, right]: ComparedStep['decisions']): boolean {
  if (left === undefined || right === undefined) return false;
  const deed = ({ side, operation }: Decision) => canonicalJson({ side, operation });
  return deed(left) === deed(right);
}

/** A line of JSON for each step, then one with the count. */
export function printComparedJson(replays: Compared, output: Output): void {
  const print = (line: object) => output.write(`${JSON.stringify(line)}\n`);
  const policies = replays.map(({ policy }) => policy);
  const steps = compareDecisions(replays);
  for (const { decisions, ...step } of steps) {
    const told = decisions.map((decision, side) => ({
      policy: policies[side],
      ...(decision && { decision, explanation: explain(decision) }),
    }));
    print({ type: 'step', ...step, policies: told });
  }
  print({
    type: 'comparison',
    policies,
    decisions: replays.map(({ decisions }) => decisions.length),
    same: steps.filter(({ same }) => same).length,
    inputsRecordedUnder: replays[0].recordedPolicy,
  });
}

const timeColumns = 12;
const widestColumns = 120;

/** The same for people, in two columns. */
export function printCompared(replays: Compared, output: Output): void {
  const style = styleFor(output, process.env);
  const columns = Math.min(style.columns, widestColumns);
  const half = Math.max(16, Math.floor((columns - timeColumns) / 2));
  const steps = compareDecisions(replays);
  const start = replays[0].migration.orderedAtMilliseconds ?? steps[0]?.atMilliseconds ?? 0;
  const head: readonly Line[] = [
    [],
    ...replays.map(({ policy }): Line => [span(policy, 'strong')]),
  ];
  const rows = steps.flatMap((step) => stepRows(step, start, half));
  const notice = wrap(caveat(replays, steps), columns).map((piece): Line => [span(piece)]);
  for (const line of [...table([head, ...rows]), [], ...notice]) {
    output.write(`${paint(line, { ...style, columns })}\n`);
  }
}

function stepRows(step: ComparedStep, start: number, half: number): readonly (readonly Line[])[] {
  const [left, right] = step.decisions.map((each) => wrap(each ? inBrief(each) : '', half));
  const told = [left ?? [], step.same ? ['the same'] : (right ?? [])] as const;
  const at = `${((step.atMilliseconds - start) / 1000).toFixed(1)} s`.padStart(8);
  const height = Math.max(told[0].length, told[1].length);
  return Array.from({ length: height }, (_, row) => [
    [span(row === 0 ? at : '', 'faint')],
    [span(told[0][row] ?? '')],
    [span(told[1][row] ?? '', step.same ? 'faint' : 'plain')],
  ]);
}

function inBrief({ side, operation, rule }: Decision): string {
  const where = side === 'destination' ? 'destination: ' : '';
  const why = rule === operation.kind ? '' : ` (${inWords(rule)})`;
  return `${where}${describeOperation(operation)}${why}`;
}

function caveat(replays: Compared, steps: readonly ComparedStep[]): string {
  const counts = replays.map(
    ({ policy, decisions }) => `${String(decisions.length)} decisions under ${policy}`,
  );
  const same = steps.filter((step) => step.same).length;
  return (
    `${counts.join(', ')}, ${String(same)} the same. Both were shown the inputs of the run recorded ` +
    `under ${replays[0].recordedPolicy}: how the guest and the link would have answered other ` +
    'decisions is not in them.'
  );
}
