/** Long work in small pieces, so that timers and sockets of the agent stay on time. */

/** Far below the dead-man's and the sampler's periods, far above the cost of giving way. */
const turnMilliseconds = 2;

/** Does `work` for each item in order, and lets the event loop have its turn every 2 ms. */
export async function forEachInTurns<T>(
  items: readonly T[],
  work: (item: T, index: number) => void,
): Promise<void> {
  let turnEnds = performance.now() + turnMilliseconds;
  for (const [index, item] of items.entries()) {
    if (performance.now() > turnEnds) {
      await new Promise((resolve) => setImmediate(resolve));
      turnEnds = performance.now() + turnMilliseconds;
    }
    work(item, index);
  }
}

/** The indices from 0 to `count` - 1 that pass, found in turns. */
export async function findInTurns(
  count: number,
  passes: (index: number) => boolean,
): Promise<number[]> {
  const found: number[] = [];
  const indices = Array.from({ length: count }, (_, index) => index);
  await forEachInTurns(indices, (index) => {
    if (passes(index)) found.push(index);
  });
  return found;
}
