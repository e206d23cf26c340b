/** One migration under a fixed choice, straight over QMP: nothing of ferryman's brain is in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Monitor } from '../../../agent/monitor/monitor.ts';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import { openCgroupThrottle, type CgroupThrottle } from '../../../agent/throttle/cgroup.ts';
import { detectLayout } from '../../../agent/throttle/layouts.ts';
import type { Pair } from '../../rig/pair.ts';
import type { RunContext } from './ferryman-run.ts';
import type { StaticChoice } from './policies.ts';
import { throttleSeconds, type Reading, type Run } from './run.ts';

const pollMilliseconds = 25;
const unlimitedBytesPerSecond = 10 ** 11;
/** The first sync begins the first pass; the second ends it. */
const firstPassEndSync = 2;
/** How long a cancelled migration may take to say so. */
const cancelLimitMilliseconds = 5000;
/** QEMU 7.2 may still say 0 right after the end. */
const downtimeSettleMilliseconds = 300;

interface Status {
  readonly status?: string;
  readonly 'error-desc'?: string;
  readonly downtime?: number;
  readonly 'total-time'?: number;
  readonly 'cpu-throttle-percentage'?: number;
  readonly ram?: {
    readonly transferred: number;
    readonly remaining: number;
    readonly 'dirty-sync-count': number;
  };
}

interface Monitors {
  readonly source: Monitor;
  readonly destination: Monitor;
}

/** Throws when QEMU refuses the choice, or when no quota can be set for one that needs it. */
export async function runStatic(
  pair: Pair,
  choice: StaticChoice,
  context: RunContext,
): Promise<Run> {
  const source = await openQmp(pair.sourceQmp);
  const destination = await openQmp(pair.destinationQmp);
  const throttle =
    choice.cgroupPercent === undefined ? undefined : await openThrottle(pair, source);
  try {
    await arm({ source, destination }, pair, choice, context);
    const startMilliseconds = Date.now();
    await source.execute('migrate', { uri: pair.uri });
    context.onStart();
    return await follow(source, choice, context, startMilliseconds, throttle);
  } finally {
    throttle?.release();
    source.close();
    destination.close();
  }
}

async function arm(
  { source, destination }: Monitors,
  pair: Pair,
  choice: StaticChoice,
  { linkBytesPerSecond, downtimeLimitMilliseconds }: RunContext,
): Promise<void> {
  const capabilities = choice.capabilities.map((capability) => ({ capability, state: true }));
  for (const monitor of [source, destination]) {
    await monitor.execute('migrate-set-capabilities', { capabilities });
    await monitor.execute('migrate-set-parameters', choice.parameters);
  }
  await source.execute('migrate-set-parameters', {
    'downtime-limit': downtimeLimitMilliseconds,
    'max-bandwidth': pair.isShaped ? unlimitedBytesPerSecond : linkBytesPerSecond,
  });
  await destination.execute('migrate-incoming', { uri: pair.uri });
}

/** Measures for a second what the vCPUs use, so that the quota is a share of that. */
async function openThrottle(pair: Pair, source: Monitor): Promise<CgroupThrottle> {
  const vcpus = (await source.execute('query-cpus-fast')) as { readonly 'thread-id': number }[];
  const layout = detectLayout();
  const pid = pair.sourcePid();
  const threadIds = vcpus.map((vcpu) => vcpu['thread-id']);
  const throttle = layout && pid && openCgroupThrottle({ layout, pid, threadIds });
  if (!throttle) throw new Error('no CPU quota can be set here: run as root, under cgroup v1');
  throttle.measure(Date.now());
  await sleep(1000);
  throttle.measure(Date.now());
  return throttle;
}

async function follow(
  source: Monitor,
  choice: StaticChoice,
  { deadlineSeconds }: RunContext,
  startMilliseconds: number,
  throttle: CgroupThrottle | undefined,
): Promise<Run> {
  const giveUpAt = startMilliseconds + deadlineSeconds * 1000;
  const { readings, postCopy, state } = await watch(source, choice, giveUpAt, throttle);
  const watchedMilliseconds = Date.now() - startMilliseconds;
  throttle?.release();
  const ended = hasEnded(state) ? state : await giveUp(source, postCopy);
  await sleep(downtimeSettleMilliseconds);
  const final = ended.status === 'completed' ? await query(source) : ended;
  return {
    ...outcomeOf(final),
    startMilliseconds,
    totalMilliseconds: final['total-time'] ?? watchedMilliseconds,
    downtimeMilliseconds: final.downtime ?? 0,
    transferredBytes: (final.ram ?? state.ram)?.transferred ?? 0,
    throttleSeconds: throttleSeconds(readings),
    maxThrottlePercent: Math.max(0, ...readings.map(({ throttlePercent }) => throttlePercent)),
    postCopy,
    restarts: 0,
    readings,
  };
}

interface Watched {
  readonly readings: readonly Reading[];
  readonly postCopy: boolean;
  readonly state: Status;
}

/** Reads until the end or `giveUpAt`, and acts once the first pass is over. */
async function watch(
  source: Monitor,
  choice: StaticChoice,
  giveUpAt: number,
  throttle: CgroupThrottle | undefined,
): Promise<Watched> {
  const readings: Reading[] = [];
  const wantsPostCopy = choice.postCopyAfterFirstPass === true;
  let hasActed = false;
  let state = await query(source);
  while (!hasEnded(state) && Date.now() < giveUpAt) {
    if (!hasActed && (state.ram?.['dirty-sync-count'] ?? 0) >= firstPassEndSync) {
      hasActed = true;
      throttle?.set(choice.cgroupPercent ?? 0);
      if (wantsPostCopy) await source.execute('migrate-start-postcopy');
    }
    if (state.ram !== undefined) readings.push(readingOf(state, throttle));
    await sleep(pollMilliseconds);
    state = await query(source);
  }
  return { readings, postCopy: wantsPostCopy && hasActed, state };
}

async function query(source: Monitor): Promise<Status> {
  return (await source.execute('query-migrate')) as Status;
}

function hasEnded({ status = '' }: Status): boolean {
  return ['completed', 'failed', 'cancelled'].includes(status);
}

function readingOf(state: Status, throttle: CgroupThrottle | undefined): Reading {
  const byQemu = state['cpu-throttle-percentage'] ?? 0;
  return {
    atMilliseconds: Date.now(),
    remainingBytes: state.ram?.remaining ?? 0,
    dirtySyncCount: state.ram?.['dirty-sync-count'] ?? 0,
    throttlePercent: Math.max(byQemu, throttle?.percent ?? 0),
  };
}

/** A migration in post-copy is never cancelled: the pair is put away as it is. */
async function giveUp(source: Monitor, postCopy: boolean): Promise<Status> {
  if (postCopy) return { status: 'failed', 'error-desc': 'post-copy did not end in time' };
  await source.execute('migrate_cancel');
  const giveUpAt = Date.now() + cancelLimitMilliseconds;
  let state = await query(source);
  while (!hasEnded(state) && Date.now() < giveUpAt) {
    await sleep(pollMilliseconds);
    state = await query(source);
  }
  return state;
}

function outcomeOf(state: Status): Pick<Run, 'outcome' | 'reason'> {
  if (state.status === 'completed') return { outcome: 'completed' };
  if (state.status === 'failed') {
    return { outcome: 'failed', reason: state['error-desc'] ?? 'QEMU gave no reason' };
  }
  return { outcome: 'cancelled', reason: 'did not end before the deadline' };
}
