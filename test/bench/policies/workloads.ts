/** The workloads of the policy bench. Another one is one more entry. */
import type { Guest } from '../../guests/guest.ts';
import type { LinuxGuest } from '../../guests/linux/image.ts';

const mebibyte = 2 ** 20;
/** Larger sets would make the long run longer and show nothing else. */
const largestSetBytes = 256 * mebibyte;

/** A guest; a bare one is made to the measure of the link, so that it is as hard to move over any. */
export interface Workload {
  readonly name: string;
  /** What it is, for people. */
  readonly about: string;
  /** Neither compression nor XBZRLE makes it smaller. */
  readonly isIncompressible: boolean;
  guest(linkBytesPerSecond: number): Guest | LinuxGuest;
  /** The link falls to this share of its speed, half a copy of the memory after the start. */
  readonly linkFallsTo?: number;
}

/** What the link carries in `seconds`, as whole MiB. */
function carriedIn(seconds: number, linkBytesPerSecond: number): number {
  const bytes = Math.min(seconds * linkBytesPerSecond, largestSetBytes);
  return Math.round(bytes / mebibyte) * mebibyte;
}

/** Rewrites what the link carries in 2.5 s, 1.8 times faster than it carries it. */
function busy(linkBytesPerSecond: number): Guest {
  return {
    workingSetBytes: carriedIn(2.5, linkBytesPerSecond),
    dirtyBytesPerSecond: 1.8 * linkBytesPerSecond,
    content: 'random',
  };
}

interface Entry extends Partial<Guest> {
  readonly about: string;
  /** Seconds in which the link carries the working set once. */
  readonly setSeconds?: number;
  /** Dirty rate over the link's rate. */
  readonly pace?: number;
  readonly linkFallsTo?: number;
  /** What depends on the link beyond set and pace. */
  readonly more?: (linkBytesPerSecond: number) => Partial<Guest>;
}

const entries: Readonly<Record<string, Entry>> = {
  idle: { about: 'full memory, nothing written', pace: 0 },
  light: { about: 'writes at 0.15 of the link', pace: 0.15, setSeconds: 1 },
  moderate: { about: 'writes at 0.5 of the link', pace: 0.5 },
  random: { about: 'random pages with random content at 1.8 of the link' },
  text: { about: 'as random, but text', content: 'text' },
  sparse: { about: 'changes 16 bytes per page', content: 'sparse', setSeconds: 1.5 },
  'sparse-big': { about: 'as sparse, over a large set', content: 'sparse', setSeconds: 4 },
  mixed: { about: 'a quarter random, a quarter sparse, half text', content: 'mixed' },
  'hot-set': {
    about: 'nine of ten writes into a fifth of the set',
    more: (link) => ({ hotSet: { bytes: carriedIn(0.5, link), writeShare: 0.9 } }),
  },
  sweep: { about: 'page after page at 1.5 of the link', pace: 1.5, order: 'sequential' },
  bursty: {
    about: 'one second at 3 times the link, two of rest',
    pace: 3,
    burst: { onMilliseconds: 1000, offMilliseconds: 2000 },
  },
  cyclic: {
    about: 'six seconds at twice the link, six of rest',
    pace: 2,
    burst: { onMilliseconds: 6000, offMilliseconds: 6000 },
  },
  'phase-change': {
    about: 'calm at first, at 1.8 of the link from the middle on',
    pace: 0.3,
    more: (link) => ({
      idleBytes: 2 * carriedIn(2, link),
      later: { ...busy(link), afterMilliseconds: 6000 },
    }),
  },
  disk: { about: 'as random, and writes to a disk', diskBytesPerSecond: 2 * mebibyte },
  'two-vcpus': { about: 'as random, beside a second vCPU that computes', secondVcpu: true },
  'link-fall': {
    about: 'writes at 0.5 of the link, which falls to a quarter',
    pace: 0.5,
    linkFallsTo: 0.25,
  },
};

function workloadOf(name: string, entry: Entry): Workload {
  const { about, setSeconds, pace, linkFallsTo, more, ...fields } = entry;
  return {
    name,
    about,
    isIncompressible: (fields.content ?? 'random') === 'random',
    ...(linkFallsTo !== undefined && { linkFallsTo }),
    guest: (link) => ({
      ...busy(link),
      ...(setSeconds !== undefined && { workingSetBytes: carriedIn(setSeconds, link) }),
      ...(pace !== undefined && { dirtyBytesPerSecond: pace * link }),
      ...fields,
      ...more?.(link),
    }),
  };
}

/** Dirties some 55 MiB per second of 150 MiB, whatever the link: a real program does not ask. */
const redis: Workload = {
  name: 'redis',
  about: 'Linux with redis, of which 6000 keys are set per second',
  isIncompressible: false,
  guest: () => ({ memoryMebibytes: 512, keys: 131_072, setsPerSecond: 6000 }),
};

export const workloads: readonly Workload[] = [
  ...Object.entries(entries).map(([name, entry]) => workloadOf(name, entry)),
  redis,
];
