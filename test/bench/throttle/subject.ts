/** A guest in a migration that does not end, with both throttles at hand. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBlockCounters } from '../../../agent/collectors/block-io.ts';
import { readVcpuSeconds } from '../../../agent/collectors/vcpu.ts';
import type { Monitor } from '../../../agent/monitor/monitor.ts';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import { openCgroupThrottle, type CgroupThrottle } from '../../../agent/throttle/cgroup.ts';
import {
  dissolveGroup,
  homeOf,
  makeGroup,
  moveThread,
  type GroupLayout,
  type Quota,
} from '../../../agent/throttle/groups.ts';
import { detectLayout } from '../../../agent/throttle/layouts.ts';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import type { Guest } from '../../guests/guest.ts';
import { startPair, type Pair } from '../../rig/pair.ts';
import { guestFigures, latencyOf, medianWindow, type Window } from './figures.ts';
import { linkBytesPerSecond } from './guests.ts';

/** Between two questions to the monitor: not a divisor of any period, so that no phase is favoured. */
const monitorPauseMilliseconds = 7;
const windowsPerFigure = 3;
const pollMilliseconds = 25;
const throttleLimitMilliseconds = 40_000;
const smallestQuotaMicroseconds = 1000;
/** At the edges of a window the observer may lag a sample behind. */
const marginMilliseconds = 100;

export interface Subject {
  /** CPU use of each vCPU while nothing held it back, 1 is a whole CPU. */
  readonly uses: readonly number[];
  /** The throttle of the agent itself, which has measured the guest. */
  readonly product: CgroupThrottle;
  /** The median of a few windows of this length. Throws when the migration is over. */
  measure(milliseconds: number): Promise<Window>;
  /** Resolves once QEMU says that the level is in force; 1 is its least. */
  throttleByQemu(percent: number): Promise<void>;
  /** Leaves each vCPU this share of its use, by quotas of this period; undefined lets go. */
  throttleByQuota(share: number | undefined, periodMicroseconds?: number): void;
  stop(): Promise<void>;
}

/** Starts the guest and its migration, and measures what its vCPUs use. */
export async function openSubject(qemu: QemuVersion, guest: Guest): Promise<Subject> {
  const pair = await startPair({ qemu, guest, linkBytesPerSecond });
  try {
    const source = await openQmp(pair.sourceQmp);
    await startMigration(pair, source);
    return await subjectOf(pair, source);
  } catch (error) {
    await pair.stop();
    throw error;
  }
}

/** With QEMU's throttle armed at its least, and a downtime limit that nothing fits into. */
async function startMigration(pair: Pair, source: Monitor): Promise<void> {
  const destination = await openQmp(pair.destinationQmp);
  const capabilities = [{ capability: 'auto-converge', state: true }];
  for (const monitor of [source, destination]) {
    await monitor.execute('migrate-set-capabilities', { capabilities });
  }
  await source.execute('migrate-set-parameters', {
    ...setPoint(1),
    'downtime-limit': 1,
    'max-bandwidth': linkBytesPerSecond,
  });
  await destination.execute('migrate-incoming', { uri: pair.uri });
  await source.execute('migrate', { uri: pair.uri });
  destination.close();
}

/** Threshold 1 and equal values: QEMU jumps to the level, up or down, at the sync that fires. */
function setPoint(percent: number): Readonly<Record<string, number>> {
  return {
    'cpu-throttle-initial': percent,
    'cpu-throttle-increment': 99,
    'max-cpu-throttle': percent,
    'throttle-trigger-threshold': 1,
  };
}

async function subjectOf(pair: Pair, source: Monitor): Promise<Subject> {
  const pid = pair.sourcePid() ?? NaN;
  const vcpus = (await source.execute('query-cpus-fast')) as { readonly 'thread-id': number }[];
  const threadIds = vcpus.map((vcpu) => vcpu['thread-id']);
  const layout = detectLayout();
  const product = layout && openCgroupThrottle({ layout, pid, threadIds });
  if (!layout || !product) throw new Error('no CPU quota can be set here: run as root');
  const uses = await measureUses(pid, threadIds, product);
  const groups = new QuotaGroups(layout, pid, threadIds);
  return {
    uses,
    product,
    async measure(milliseconds) {
      const windows: Window[] = [];
      for (let index = 0; index < windowsPerFigure; index++) {
        windows.push(await measureWindow(pair, source, { pid, threadIds }, milliseconds));
      }
      await levelOf(source);
      return medianWindow(windows);
    },
    throttleByQemu: (percent) => throttleByQemu(source, percent),
    throttleByQuota(share, periodMicroseconds = 0) {
      if (share === undefined) groups.dissolve();
      else groups.set(uses.map((use) => quotaOf(share * use, periodMicroseconds)));
    },
    stop: async () => {
      groups.dissolve();
      product.release();
      source.close();
      await pair.stop();
    },
  };
}

/** Beneath the kernel's smallest quota the period grows, as the level must be kept. */
function quotaOf(cores: number, wantedPeriodMicroseconds: number): Quota {
  const periodMicroseconds = Math.round(
    Math.max(wantedPeriodMicroseconds, smallestQuotaMicroseconds / cores),
  );
  const quotaMicroseconds = Math.max(
    smallestQuotaMicroseconds,
    Math.round(cores * periodMicroseconds),
  );
  return { periodMicroseconds, quotaMicroseconds };
}

async function measureUses(
  pid: number,
  threadIds: readonly number[],
  product: CgroupThrottle,
): Promise<number[]> {
  const read = (): number[] => threadIds.map((id) => readVcpuSeconds(pid, [id]) ?? NaN);
  const before = { at: performance.now(), seconds: read() };
  product.measure(before.at);
  await sleep(2000);
  const now = performance.now();
  product.measure(now);
  return read().map((seconds, index) =>
    Math.min(1, (1000 * (seconds - (before.seconds[index] ?? NaN))) / (now - before.at)),
  );
}

/** Groups of our own making, because the agent's throttle chooses its period itself. */
class QuotaGroups {
  readonly #layout: GroupLayout;
  readonly #homes: ReadonlyMap<number, string>;
  readonly #groups = new Map<number, string>();

  constructor(layout: GroupLayout, pid: number, threadIds: readonly number[]) {
    this.#layout = layout;
    this.#homes = new Map(
      threadIds.map((id) => {
        const text = readFileSync(`/proc/${String(pid)}/task/${String(id)}/cgroup`, 'utf8');
        return [id, homeOf(layout, text) ?? ''];
      }),
    );
  }

  set(quotas: readonly Quota[]): void {
    for (const [index, [threadId, home]] of [...this.#homes].entries()) {
      const quota = quotas[index];
      if (quota === undefined) continue;
      const group = makeGroup(this.#layout, home, threadId);
      this.#groups.set(threadId, group);
      this.#layout.setQuota(group, quota);
      moveThread(this.#layout, group, threadId);
    }
  }

  dissolve(): void {
    for (const group of this.#groups.values()) dissolveGroup(this.#layout, group);
    this.#groups.clear();
  }
}

async function throttleByQemu(source: Monitor, percent: number): Promise<void> {
  await source.execute('migrate-set-parameters', setPoint(percent));
  const giveUpAt = performance.now() + throttleLimitMilliseconds;
  for (;;) {
    const level = await levelOf(source);
    if (level === percent) return;
    if (performance.now() > giveUpAt) throw new Error(`QEMU stays at ${level} %`);
    await sleep(pollMilliseconds);
  }
}

/** QEMU's throttle, in percent. Throws when the migration is over, for then nothing is measured. */
async function levelOf(source: Monitor): Promise<number> {
  const state = (await source.execute('query-migrate')) as {
    readonly status: string;
    readonly 'cpu-throttle-percentage'?: number;
  };
  if (!['setup', 'active'].includes(state.status)) throw new Error(`migration ${state.status}`);
  return state['cpu-throttle-percentage'] ?? 0;
}

async function measureWindow(
  pair: Pair,
  source: Monitor,
  { pid, threadIds }: { readonly pid: number; readonly threadIds: readonly number[] },
  milliseconds: number,
): Promise<Window> {
  const cpuSeconds = (): number => readVcpuSeconds(pid, threadIds) ?? NaN;
  const from = Date.now();
  const cpuBefore = cpuSeconds();
  const blockBefore = await readBlockCounters(source);
  const latencies = await askUntil(source, from + milliseconds);
  const blockAfter = await readBlockCounters(source);
  const cpuAfter = cpuSeconds();
  const to = Date.now();
  const perSecond = (growth: number): number => (1000 * growth) / (to - from);
  await sleep(marginMilliseconds);
  return {
    ...guestFigures(await pair.observer.observe(), from, to),
    vcpuCores: perSecond(cpuAfter - cpuBefore),
    monitor: latencyOf(latencies),
    diskBytesPerSecond: perSecond(blockAfter.blockWrittenBytes - blockBefore.blockWrittenBytes),
  };
}

/** Round trips in milliseconds. */
async function askUntil(source: Monitor, endMilliseconds: number): Promise<number[]> {
  const latencies: number[] = [];
  while (Date.now() < endMilliseconds) {
    const askedAt = performance.now();
    await source.execute('query-status');
    latencies.push(performance.now() - askedAt);
    await sleep(monitorPauseMilliseconds);
  }
  return latencies;
}
