/** Looks at a VM again and again, as often as the look says, and at once when asked. */
export interface SamplerOptions {
  /** Looks once; returns how many milliseconds after its begin the next may begin. Must not reject. */
  readonly look: () => Promise<number>;
}

export interface Sampler {
  /** Looks now, or right after the look that is under way. */
  soon(): void;
  stop(): void;
}

/** Starts looking. Looks never overlap: a slow QEMU is asked less often, not more at once. */
export function startSampler({ look }: SamplerOptions): Sampler {
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let asked = 0;
  const stopped = new AbortController();

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    isLooking = true;
    const askedBefore = asked;
    const startedAtMilliseconds = performance.now();
    const periodMilliseconds = await look();
    isLooking = false;
    if (stopped.signal.aborted) return;
    const tookMilliseconds = performance.now() - startedAtMilliseconds;
    const pause = asked > askedBefore ? 0 : Math.max(0, periodMilliseconds - tookMilliseconds);
    timer = setTimeout(() => void run(), pause);
  };
  void run();
  return {
    soon() {
      asked += 1;
      if (!isLooking && !stopped.signal.aborted) void run();
    },
    stop() {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}
