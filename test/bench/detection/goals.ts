/** What a call has to reach, and whether it does. */
import { ofOutcome, spreadOf, type Judged, type Judgement } from './judge.ts';

export interface Goal {
  readonly goal: string;
  readonly holds: boolean;
  readonly figures: string;
}

const largestFalseAlarmShare = 0.03;
const mostRoundsLate = 1;

/** A false alarm that was wrong already about what the guest did at the time. */
export function isMisread({ outcome, call }: Judged): boolean {
  return outcome === 'false alarm' && call?.isTrueOfTheMoment === false;
}

export function isTooLate({ lateness }: Judged): boolean {
  return lateness !== undefined && lateness.rounds > mostRoundsLate;
}

export function goalsOf(judgement: Judgement): readonly Goal[] {
  const all = judgement.judged.length;
  const alarms = ofOutcome(judgement, 'false alarm');
  const misread = alarms.filter(isMisread);
  const unavoidable = judgement.judged.filter(
    ({ watched }) => watched.mustBeCalled && !watched.diverges,
  );
  const misses = ofOutcome(judgement, 'miss').length;
  const late = spreadOf(judgement, 'rounds');
  const tooLate = judgement.judged.filter(isTooLate).length;
  const share = (part: number) => `${part} of ${all}, ${((100 * part) / all).toFixed(1)} %`;
  return [
    {
      goal: 'calls at most one round after the truth shows',
      holds: late.worst <= mostRoundsLate,
      figures: `median ${late.median}, p95 ${late.p95}, worst ${late.worst}; ${tooLate} later`,
    },
    { goal: 'no misses', holds: misses === 0, figures: share(misses) },
    {
      goal: 'false alarms at most 3 %',
      holds: alarms.length <= largestFalseAlarmShare * all,
      figures:
        `${share(alarms.length)}; by the two goals above ` +
        `${share(unavoidable.length)} cannot be avoided`,
    },
    {
      goal: 'misread at most 3 %: false alarms that were wrong already about the moment',
      holds: misread.length <= largestFalseAlarmShare * all,
      figures: share(misread.length),
    },
  ];
}
