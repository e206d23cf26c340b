/** A decision in one plain sentence: what is done, why, and what is expected to follow. */
import type { Decision, Evidence, Note, Prediction } from '../brain/core/decision.ts';
import { formatBytes, formatFigure, formatMilliseconds, inWords } from './figures.ts';
import { describeOperation } from './operations.ts';
import { rulePhrases } from './rule-phrases.ts';

type Explainable = Pick<Decision, 'operation' | 'rule' | 'evidence' | 'side'> &
  Pick<Partial<Decision>, 'prediction'>;

/** More figures than this hide the ones that matter. */
const shownFigures = 5;

/** Why a rule fired: its phrase (or its name in words) with the figures it looked at. */
export function explainRule(rule: string, evidence: Evidence): string {
  const figures = Object.entries(evidence)
    .slice(0, shownFigures)
    .map(([name, value]) => formatFigure(name, value));
  const phrase = rulePhrases[rule] ?? inWords(rule);
  return figures.length === 0 ? phrase : `${phrase} (${figures.join(', ')})`;
}

/** One sentence for any decision; rules without a phrase fall back to their name and evidence. */
export function explain(decision: Explainable): string {
  if (decision.side === 'source') {
    return sentence(`${describeOperation(decision.operation)}${grounds(decision)}`);
  }
  // Both sides are armed alike for one reason, which is told with the source.
  const told = decision.operation.kind === 'arm' ? '' : grounds(decision);
  return sentence(`on the destination, ${describeOperation(decision.operation)}${told}`);
}

/** One sentence for a step that was weighed and not taken. */
export function explainNote(note: Pick<Note, 'method' | 'rule' | 'evidence'>): string {
  return sentence(`${note.method} not used: ${explainRule(note.rule, note.evidence)}`);
}

/** Why, and what is expected; a step of the plan is named by its operation and goes without saying. */
function grounds({ operation, rule, evidence, prediction }: Explainable): string {
  const reason = rule === operation.kind ? '' : `: ${explainRule(rule, evidence)}`;
  return `${reason}${expectation(prediction)}`;
}

function expectation(prediction: Prediction | undefined): string {
  const expected = prediction === undefined ? [] : expectedFigures(prediction);
  return expected.length === 0 ? '' : `; expecting ${expected.join(', ')}`;
}

function expectedFigures(prediction: Prediction): readonly string[] {
  return [
    ...figure(prediction.totalMilliseconds, (value) => `${formatMilliseconds(value)} to go`),
    ...figure(prediction.downtimeMilliseconds, (value) => `${formatMilliseconds(value)} downtime`),
    ...figure(
      prediction.guestWorkLostSeconds,
      (value) => `${formatMilliseconds(value * 1000)} of guest work lost`,
    ),
    ...figure(prediction.nextRoundBytes, (value) => `${formatBytes(value)} left next round`),
  ];
}

function figure(value: number | undefined, format: (value: number) => string): readonly string[] {
  return value === undefined || !Number.isFinite(value) ? [] : [format(value)];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
