/**
 * What an agent does when the brain falls silent: after 5 s no VM stays squeezed, after 30 s the host
 * policy decides about pre-copy migrations. The steps are pure, the timer around them is thin.
 */
import type { Clock } from '../../shared/clock.ts';

/** The brain's beacon comes every 500 ms; ten missed ones are no hiccup. */
export const floorAfterMilliseconds = 5_000;
/** By now nobody is coming back in time for the migrations under way. */
export const giveUpAfterMilliseconds = 30_000;

/** `floored`: throttles were ordered to the floor. `given-up`: the host policy has been carried out. */
export type DeadManStage = 'heard' | 'floored' | 'given-up';

export interface DeadManState {
  readonly stage: DeadManStage;
  readonly heardAtMilliseconds: number;
}

/** The state after a beacon. */
export function hear(nowMilliseconds: number): DeadManState {
  return { stage: 'heard', heardAtMilliseconds: nowMilliseconds };
}

/** The state now that time has passed; each stage is entered once per silence, never skipped. */
export function pass(state: DeadManState, nowMilliseconds: number): DeadManState {
  const silence = nowMilliseconds - state.heardAtMilliseconds;
  if (state.stage === 'heard' && silence >= floorAfterMilliseconds) {
    return { ...state, stage: 'floored' };
  }
  if (state.stage === 'floored' && silence >= giveUpAfterMilliseconds) {
    return { ...state, stage: 'given-up' };
  }
  return state;
}

export interface DeadMan {
  readonly stage: DeadManStage;
  readonly silentMilliseconds: number;
  hear(): void;
  stop(): void;
}

/** Watches for silence; `onStage` is told of every change of stage, back to `heard` included. */
export function watchBrain(
  clock: Clock,
  onStage: (stage: DeadManStage) => void,
  checkMilliseconds = 250,
): DeadMan {
  let state = hear(clock.monotonicMilliseconds());
  const enter = (next: DeadManState): void => {
    const isNew = next.stage !== state.stage;
    state = next;
    if (isNew) onStage(next.stage);
  };
  const timer = setInterval(() => {
    enter(pass(state, clock.monotonicMilliseconds()));
  }, checkMilliseconds);
  timer.unref();
  return {
    get stage() {
      return state.stage;
    },
    get silentMilliseconds() {
      return clock.monotonicMilliseconds() - state.heardAtMilliseconds;
    },
    hear() {
      enter(hear(clock.monotonicMilliseconds()));
    },
    stop() {
      clearInterval(timer);
    },
  };
}
