import { effectOf } from '../../core/effect.ts';
import type { DecisionRecord, Migration } from '../../core/migration.ts';
import { explain, explainEffect } from '../../words/explain.ts';
import type { DecisionView } from './view.ts';

/** More are in the history; an endless migration must not make endless messages. */
const mostDecisions = 200;

/** The latest decisions, oldest first, in sentences; `chronicleBegan` is what their times count from. */
export function decisionViews(
  { decisions }: Migration,
  chronicleBegan: number,
): readonly DecisionView[] {
  return decisions.slice(-mostDecisions).map((record) => viewOf(record, chronicleBegan));
}

function viewOf(record: DecisionRecord, chronicleBegan: number): DecisionView {
  const { decision, outcome, reason } = record;
  const effect = decision.side === 'source' ? effectOf(record) : undefined;
  const comparison = effect && explainEffect(effect);
  return {
    number: decision.number,
    atMilliseconds: Math.round(decision.atMilliseconds - chronicleBegan),
    sentence: explain(decision),
    outcome: outcome ?? 'open',
    ...(reason !== undefined && { reason }),
    isStep: isStep(record),
    ...(comparison && { effect: comparison }),
  };
}

/** Arming the source is where the method is chosen: that is told, though the plan demands the step. */
function isStep({ decision: { side, method, operation } }: DecisionRecord): boolean {
  return side === 'destination' || (method === 'plan' && operation.kind !== 'arm');
}
