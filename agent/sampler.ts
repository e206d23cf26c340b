/** When to look at a VM: often while it moves away, once a second otherwise, at once when asked. */
export interface SamplerOptions {
  /** Looks once; true when much may change soon. Must not reject. */
  readonly look: () => Promise<boolean>;
  readonly busyMilliseconds?: number;
  readonly restMilliseconds?: number;
}

export interface Sampler {
  /** Looks now, or right after the look that is under way. */
  soon(): void;
  stop(): void;
}

/** Starts looking. Looks never overlap: a slow QEMU is asked less often, not more at once. */
export function startSampler(options: SamplerOptions): Sampler {
  const { look, busyMilliseconds = 100, restMilliseconds = 1000 } = options;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let asked = 0;
  const stopped = new AbortController();

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    isLooking = true;
    const askedBefore = asked;
    const startedAtMilliseconds = performance.now();
    const isBusy = await look();
    isLooking = false;
    if (stopped.signal.aborted) return;
    const period = isBusy ? busyMilliseconds : restMilliseconds;
    const tookMilliseconds = performance.now() - startedAtMilliseconds;
    const pause = asked > askedBefore ? 0 : Math.max(0, period - tookMilliseconds);
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
