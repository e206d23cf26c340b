/** Why a prediction was off, in words that follow from the figures of the run. */
import type { Foretold } from './foretold.ts';

/** Parts of the total error that are worth a word: a tenth of the time it took. */
const noticeableShare = 0.1;

interface Fault {
  readonly milliseconds: number;
  readonly words: string;
}

export function reasonOf(foretold: Foretold): string {
  const { predicted, happened, isSteady } = foretold;
  if (predicted.finishes !== happened.completed) {
    return happened.completed ? 'it ended after all' : 'it did not end';
  }
  const faults = [firstPassFault(foretold), throttleFault(foretold), laterFault(foretold)]
    .filter(
      ({ milliseconds }) => Math.abs(milliseconds) > noticeableShare * happened.totalMilliseconds,
    )
    .toSorted((one, other) => Math.abs(other.milliseconds) - Math.abs(one.milliseconds))
    .map(({ milliseconds, words }) => `${words} ${signedSeconds(milliseconds)}`);
  const reason = faults.length > 0 ? faults.join(', ') : 'many small ones';
  return isSteady ? reason : `the guest changed its ways; ${reason}`;
}

function firstPassFault({ predicted, happened }: Foretold): Fault {
  const foretold = predicted.firstPassMilliseconds;
  const milliseconds = foretold - (happened.firstPassMilliseconds ?? foretold);
  return { milliseconds, words: 'first pass' };
}

function throttleFault({ predicted, happened }: Foretold): Fault {
  const percent = predicted.throttlePercent.likely;
  const throttled = percent === 0 ? 0 : (100 * happened.throttleSeconds) / percent;
  const foretold = percent === 0 ? 0 : (100 * predicted.guestWorkLostSeconds.likely) / percent;
  return { milliseconds: 1000 * (foretold - throttled), words: 'time under the throttle' };
}

function laterFault(foretold: Foretold): Fault {
  const { predicted, happened } = foretold;
  const whole = predicted.totalMilliseconds.likely - happened.totalMilliseconds;
  const known = firstPassFault(foretold).milliseconds + throttleFault(foretold).milliseconds;
  return { milliseconds: whole - known, words: 'free rounds after it' };
}

function signedSeconds(milliseconds: number): string {
  return `${milliseconds > 0 ? '+' : ''}${(milliseconds / 1000).toFixed(1)} s`;
}
