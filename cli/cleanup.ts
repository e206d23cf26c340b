/** Steps to take at the end, last come first served, each whether or not another failed. */
export interface Cleanup {
  add(step: () => Promise<void> | void): void;
  /** Takes every step; one that takes longer than the limit is left behind. */
  run(limitMilliseconds: number): Promise<void>;
}

/** Collects what to undo while things are being started. `onError` hears of steps that failed. */
export function createCleanup(onError: (error: unknown) => void): Cleanup {
  const steps: (() => Promise<void> | void)[] = [];
  return {
    add: (step) => {
      steps.push(step);
    },
    run: async (limitMilliseconds) => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        try {
          await within(Promise.resolve(step()), limitMilliseconds, () => undefined);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}

/** What the promise gives, or what `late` gives (or throws) when it takes longer than the limit. */
export async function within<T>(
  promise: Promise<T>,
  limitMilliseconds: number,
  late: () => T,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMilliseconds);
  });
  try {
    return await Promise.race([promise, limit.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
