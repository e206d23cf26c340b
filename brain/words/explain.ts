/** A decision in one plain sentence: what is done, why, and what is expected to follow. */
import type { Decision, Evidence, Note, Prediction } from '../core/decision.ts';
import type { Effect } from '../core/effect.ts';
import { formatBytes, formatFigure, formatMilliseconds, inWords } from './figures.ts';
import { describeOperation } from './operations.ts';
import { rulePhrases } from './rule-phrases.ts';

type Explainable = Pick<Decision, 'operation' | 'rule' | 'evidence' | 'side'> &
  Pick<Partial<Decision>, 'prediction'>;

/** More figures than this hide the ones that matter. */
const shownFigures = 5;

/** Why a rule fired: its phrase (or its name in words) with the figures it looked at. */
export function explainRule(rule: string, evidence: Evidence, shown = shownFigures): string {
  const figures = Object.entries(evidence)
    .slice(0, shown)
    .map(([name, value]) => formatFigure(name, value));
  const phrase = rulePhrases[rule] ?? inWords(rule);
  return figures.length === 0 ? phrase : `${phrase} (${figures.join(', ')})`;
}

/**
 * One sentence for any decision, with at most `shown` figures of its evidence. Rules without a phrase
 * fall back to their name.
 */
export function explain(decision: Explainable, shown = shownFigures): string {
  if (decision.side === 'source') {
    return sentence(`${describeOperation(decision.operation)}${grounds(decision, shown)}`);
  }
  // Both sides are armed alike for one reason, which is told with the source.
  const told = decision.operation.kind === 'arm' ? '' : grounds(decision, shown);
  return sentence(`on the destination, ${describeOperation(decision.operation)}${told}`);
}

/** One sentence for a step that was weighed and not taken. */
export function explainNote(note: Pick<Note, 'method' | 'rule' | 'evidence'>): string {
  return sentence(`${note.method} not used: ${explainRule(note.rule, note.evidence)}`);
}

/** Why, and what is expected; a step of the plan is named by its operation and goes without saying. */
function grounds({ operation, rule, evidence, prediction }: Explainable, shown: number): string {
  const reason = rule === operation.kind ? '' : `: ${explainRule(rule, evidence, shown)}`;
  return `${reason}${expectation(prediction)}`;
}

/** `predicted 2.4 s, took 2.8 s`: what a decision promised beside what came of it; no full stop. */
export function explainEffect({ predicted, measured }: Effect): string {
  return comparable
    .flatMap(({ name, noun, verb, format }) => {
      const [promised, real] = [predicted[name], measured[name]];
      if (promised === undefined || typeof real !== 'number') return [];
      return [`${noun}predicted ${format(promised)}, ${verb} ${format(real)}`];
    })
    .join('; ');
}

const comparable = [
  { name: 'totalMilliseconds', noun: '', verb: 'took', format: formatMilliseconds },
  { name: 'downtimeMilliseconds', noun: 'downtime ', verb: 'was', format: formatMilliseconds },
  {
    name: 'guestWorkLostSeconds',
    noun: 'guest work lost ',
    verb: 'was',
    format: (value: number) => formatMilliseconds(value * 1000),
  },
  { name: 'transferredBytes', noun: 'sent ', verb: 'was', format: formatBytes },
  { name: 'nextRoundBytes', noun: 'left next round ', verb: 'was', format: formatBytes },
] as const;

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
