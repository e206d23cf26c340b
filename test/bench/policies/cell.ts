/** One cell of the bench: a pair, a guest, a migration, and what it cost. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cost } from '../../../brain/core/cost.ts';
import { assessMigration, rateBetween, watchMilliseconds } from '../../guests/assess.ts';
import type { Gap, Observation } from '../../guests/assess.ts';
import type { Guest, Phase } from '../../guests/guest.ts';
import type { LinuxGuest } from '../../guests/linux/image.ts';
import { startPair, type Pair } from '../../rig/pair.ts';
import { fluidBacklogBytes } from './bounds.ts';
import { familyOf, watchCpu, type CpuWatch } from './cpu-watch.ts';
import { runFerryman, type RunContext } from './ferryman-run.ts';
import { headStartMilliseconds, type BenchPolicy } from './policies.ts';
import type { Cell, CellKey } from './record.ts';
import { roundsOf, type Run } from './run.ts';
import { runStatic } from './static-run.ts';
import type { Workload } from './workloads.ts';

const pageBytes = 4096;
const marginMilliseconds = 200;
/** A gap of the switchover lies within this time around the end. */
const switchoverMilliseconds = { before: 1000, after: 500 };
/** More of a core than this, used by others, and the figures are not to be trusted. */
const disturbingCores = 0.3;

export interface CellOptions {
  readonly key: CellKey;
  readonly workload: Workload;
  readonly policy: BenchPolicy;
  /** A folder for what is needed only meanwhile. */
  readonly folder: string;
  readonly ferryman: string;
  readonly deadlineSeconds: number;
  readonly downtimeLimitMilliseconds: number;
}

/** Runs it, and leaves nothing behind. Throws what kept it from getting under way. */
export async function measureCell(options: CellOptions): Promise<Cell> {
  const { key, workload, downtimeLimitMilliseconds } = options;
  const { qemu, linkBytesPerSecond } = key;
  const guest = workload.guest(linkBytesPerSecond);
  const pair = await startPair({ qemu, guest, linkBytesPerSecond });
  const ferryman: { pid?: number | undefined } = {};
  const cpu = watchCpu(() => ({
    source: [pair.sourcePid()],
    destination: [pair.destinationPid()],
    ferryman: familyOf(ferryman.pid),
    bench: [process.pid],
  }));
  try {
    const headStart = headStartMilliseconds(options.policy);
    await sleep(watchMilliseconds.before + marginMilliseconds + headStart);
    const run = await migrate(pair, options, (pid) => (ferryman.pid = pid));
    await sleep(watchMilliseconds.after + marginMilliseconds);
    const seen = await pair.observer.observe();
    const figures = figuresOf(run, seen, guest, workload, linkBytesPerSecond);
    return {
      ...key,
      ...figures,
      ...cpuFigures(cpu, run, options.policy.choice === 'ferryman'),
      costSeconds: costOf(figures, downtimeLimitMilliseconds),
      measuredAt: new Date().toISOString(),
    };
  } finally {
    cpu.stop();
    await pair.stop();
  }
}

async function migrate(
  pair: Pair,
  options: CellOptions,
  onProcess: (pid: number | undefined) => void,
): Promise<Run> {
  const { key, workload, policy, ferryman, deadlineSeconds, downtimeLimitMilliseconds } = options;
  const { linkBytesPerSecond } = key;
  let fall: NodeJS.Timeout | undefined;
  const context: RunContext = {
    linkBytesPerSecond,
    deadlineSeconds,
    downtimeLimitMilliseconds,
    onStart: () => {
      const share = workload.linkFallsTo;
      if (share === undefined) return;
      const halfCopyMilliseconds = (500 * pair.memoryBytes) / linkBytesPerSecond;
      fall = setTimeout(() => {
        pair.setLinkBytesPerSecond(share * linkBytesPerSecond);
      }, halfCopyMilliseconds);
    },
  };
  const { choice, name } = policy;
  const tracePath = join(options.folder, 'trace.jsonl');
  const run =
    choice === 'ferryman'
      ? runFerryman(pair, { ...context, ferryman, policy: name, tracePath, onProcess })
      : runStatic(pair, choice, context);
  return run.finally(() => {
    clearTimeout(fall);
  });
}

type CpuFigures = Pick<
  Cell,
  'sourceCpuSeconds' | 'destinationCpuSeconds' | 'ferrymanCpuShare' | 'foreignCores' | 'isDisturbed'
>;
type Figures = Omit<Cell, keyof CellKey | keyof CpuFigures | 'costSeconds' | 'measuredAt'>;

function figuresOf(
  run: Run,
  seen: Observation,
  guest: Guest | LinuxGuest,
  workload: Workload,
  fullLink: number,
): Figures {
  const start = run.startMilliseconds;
  const end = start + run.totalMilliseconds;
  const { guestWorkLostSeconds, longestGuestGapMilliseconds, gaps } = assessMigration(
    seen,
    start,
    end,
  );
  const { backlogBytes, throttledFromRound } = roundsOf(run.readings);
  const throttledBacklog = backlogBytes[throttledFromRound ?? -1];
  const link = fullLink * (workload.linkFallsTo ?? 1);
  const { readings: _, startMilliseconds: _start, totalMilliseconds, ...figures } = run;
  const { downtimeMilliseconds, ...kept } = figures;
  return {
    ...kept,
    totalSeconds: totalMilliseconds / 1000,
    downtimeReportedMilliseconds: downtimeMilliseconds,
    downtimeSeenMilliseconds: switchoverGap(gaps, end),
    guestWorkLostSeconds,
    longestGuestGapMilliseconds,
    backlogBytes,
    ...('content' in guest && {
      fluidBoundSeconds: fluidBacklogBytes(phaseAtEnd(guest, seen, start), link) / link,
    }),
    ...(throttledFromRound !== undefined && { throttledFromRound }),
    ...(throttledBacklog !== undefined && { roundBoundSeconds: throttledBacklog / link }),
  };
}

/** As it was measured before the start, unless it changes its ways after that. */
function phaseAtEnd(guest: Guest, seen: Observation, startMilliseconds: number): Phase {
  if (guest.later !== undefined) return guest.later;
  const from = startMilliseconds - watchMilliseconds.before;
  const pagesPerSecond = rateBetween(seen, seen.pages, from, startMilliseconds);
  return { ...guest, dirtyBytesPerSecond: pagesPerSecond * pageBytes };
}

function switchoverGap(gaps: readonly Gap[], endMilliseconds: number): number {
  const { before, after } = switchoverMilliseconds;
  const around = gaps.filter(
    ({ startMilliseconds: start, durationMilliseconds: duration }) =>
      start + duration >= endMilliseconds - before && start <= endMilliseconds + after,
  );
  return Math.max(0, ...around.map(({ durationMilliseconds }) => durationMilliseconds));
}

function cpuFigures(cpu: CpuWatch, run: Run, isFerryman: boolean): CpuFigures {
  const from = run.startMilliseconds;
  const to = from + run.totalMilliseconds;
  const used = (group: string) => cpu.secondsBetween(group, from, to);
  const seconds = (to - from) / 1000;
  const own = ['source', 'destination', 'ferryman', 'bench'].map(used);
  const foreignSeconds = used('host') - own.reduce((sum, each) => sum + each, 0);
  const foreignCores = Math.max(0, foreignSeconds / seconds);
  return {
    sourceCpuSeconds: used('source'),
    destinationCpuSeconds: used('destination'),
    ...(isFerryman && { ferrymanCpuShare: used('ferryman') / seconds }),
    foreignCores,
    isDisturbed: foreignCores > disturbingCores,
  };
}

function costOf(figures: Figures, downtimeLimitMilliseconds: number): number {
  const harm = {
    finishes: figures.outcome === 'completed',
    totalSeconds: figures.totalSeconds,
    guestWorkLostSeconds: Math.max(0, figures.guestWorkLostSeconds),
    gapSeconds: figures.longestGuestGapMilliseconds / 1000,
  };
  return cost(harm, downtimeLimitMilliseconds / 1000);
}
