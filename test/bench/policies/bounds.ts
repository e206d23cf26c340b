/** What no policy can beat on a workload that only throttling helps. */
import type { Phase } from '../../guests/guest.ts';

interface PageClass {
  readonly bytes: number;
  readonly dirtyBytesPerSecond: number;
}

/**
 * V*: the least backlog that sending as fast as the link lets can hold while the guest runs freely.
 * What is sent again is best sent where writes are rarest per byte, so the link's rate is spent on the
 * coldest class first; a class of which a share c stays clean is dirtied at c times its rate.
 */
export function fluidBacklogBytes(phase: Phase, linkBytesPerSecond: number): number {
  const coldestFirst = classesOf(phase).sort((one, other) => heat(one) - heat(other));
  let left = linkBytesPerSecond;
  return coldestFirst.reduce((backlog, { bytes, dirtyBytesPerSecond }) => {
    const clean = dirtyBytesPerSecond === 0 ? 1 : Math.min(1, left / dirtyBytesPerSecond);
    left -= clean * dirtyBytesPerSecond;
    return backlog + bytes * (1 - clean);
  }, 0);
}

function heat({ bytes, dirtyBytesPerSecond }: PageClass): number {
  return bytes === 0 ? 0 : dirtyBytesPerSecond / bytes;
}

function classesOf(phase: Phase): PageClass[] {
  const { workingSetBytes, dirtyBytesPerSecond, hotSet = { bytes: 0, writeShare: 0 } } = phase;
  const share = phase.order === 'sequential' ? 0 : hotSet.writeShare;
  const hot = { bytes: hotSet.bytes, dirtyBytesPerSecond: share * dirtyBytesPerSecond };
  const cold = {
    bytes: workingSetBytes - hotSet.bytes,
    dirtyBytesPerSecond: (1 - share) * dirtyBytesPerSecond,
  };
  return [hot, cold].filter(({ bytes }) => bytes > 0);
}

/**
 * The first round from which throttling pays, by index, in a run that nothing held back. A guest that
 * is stopped until its backlog V is sent costs 6 V/R of J (once as time, five times as work lost); a
 * free round costs V/R of time. So the free round is the better deal only while it takes more
 * than a sixth off the backlog. Undefined when each round did.
 */
export function firstPayingRound(
  backlogBytes: readonly number[],
  workLostWeight: number,
): number | undefined {
  const kept = workLostWeight / (workLostWeight + 1);
  const index = backlogBytes.findIndex((backlog, round) => {
    const next = backlogBytes[round + 1];
    return round > 0 && next !== undefined && next >= kept * backlog;
  });
  return index === -1 ? undefined : index;
}
