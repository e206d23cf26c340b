/** When to look at a VM: often while it migrates, once a second otherwise, at once when asked. */
export interface SamplerOptions {
  /** Looks once; true when a migration is under way. Must not reject. */
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
  let isWanted = false;
  let isStopped = false;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    isLooking = true;
    isWanted = false;
    const startedAtMilliseconds = performance.now();
    const isBusy = await look();
    isLooking = false;
    if (isStopped) return;
    const period = isWanted ? 0 : isBusy ? busyMilliseconds : restMilliseconds;
    const tookMilliseconds = performance.now() - startedAtMilliseconds;
    timer = setTimeout(() => void run(), Math.max(0, period - tookMilliseconds));
  };
  void run();
  return {
    soon() {
      isWanted = true;
      if (!isLooking && !isStopped) void run();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
