/** Time as a port, so that tests can hold it. */
export interface Clock {
  /** Unix time. Labels history, never decides. */
  wallMilliseconds(): number;
  /** Monotonic time since an arbitrary point. */
  monotonicMilliseconds(): number;
}

export const systemClock: Clock = {
  wallMilliseconds: () => Date.now(),
  monotonicMilliseconds: () => performance.now(),
};
