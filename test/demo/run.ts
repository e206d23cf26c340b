/** One migration of the demo's guest by the built command, and what it cost the guest. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationResult } from '../../brain/core/migration.ts';
import { parseTrace } from '../../brain/trace/trace.ts';
import { assessMigration, watchMilliseconds, type GuestCost } from '../guests/assess.ts';
import type { Guest } from '../guests/guest.ts';
import { startPair, type Pair } from '../rig/pair.ts';

const mebibyte = 1024 * 1024;
export const linkBytesPerSecond = 32 * mebibyte;
/** Long enough for auto-converge, short enough that the demo ends. */
const deadline = '40s';

/** It writes nearly twice as fast as the link carries, all over 80 MiB: plain pre-copy never ends. */
export const guest: Guest = {
  workingSetBytes: 80 * mebibyte,
  dirtyBytesPerSecond: 15_000 * 4096,
  content: 'random',
};

/** A line of `ferryman run --json`. */
export type Line = Readonly<Record<string, unknown>>;

export interface DemoRun {
  readonly policy: string;
  /** Gets the lines of the run; without it the run draws its live view on our terminal. */
  readonly onLine?: (line: Line) => void;
}

export type DemoResult = MigrationResult &
  Pick<GuestCost, 'guestWorkLostSeconds' | 'guestWorkLostPercent' | 'longestGuestGapMilliseconds'>;

/** Starts a pair, migrates, watches the guest before and after, and leaves nothing behind. */
export async function migrateOnce(ferryman: string, run: DemoRun): Promise<DemoResult> {
  const folder = await mkdtemp(join(tmpdir(), 'ferryman-demo-'));
  const pair = await startPair({
    qemu: '7.2',
    guest,
    memoryMebibytes: 128,
    linkBytesPerSecond,
  });
  try {
    await sleep(watchMilliseconds.before + 200);
    const trace = join(folder, 'trace.jsonl');
    await runFerryman(ferryman, [...flagsFor(pair, run), '--record', trace], run.onLine);
    await sleep(watchMilliseconds.after + 200);
    return await assess(pair, trace);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await pair.stop();
  }
}

function flagsFor(pair: Pair, { policy, onLine }: DemoRun): readonly string[] {
  return [
    'run',
    ...['--source-qmp', pair.sourceQmp, '--destination-qmp', pair.destinationQmp],
    ...['--uri', pair.uri, '--policy', policy, '--deadline', deadline],
    ...['--destination-command', pair.destinationCommand],
    ...(pair.isShaped ? [] : ['--max-bandwidth', String(linkBytesPerSecond)]),
    ...(onLine === undefined ? [] : ['--json']),
  ];
}

/** An exit code other than 0 is a result too: the trace tells. */
async function runFerryman(
  ferryman: string,
  flags: readonly string[],
  onLine: DemoRun['onLine'],
): Promise<void> {
  const child = spawn(process.execPath, [ferryman, ...flags], {
    stdio: ['ignore', onLine === undefined ? 'inherit' : 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      resolve();
    });
  });
  if (child.stdout !== null) {
    for await (const line of createInterface(child.stdout)) {
      onLine?.(JSON.parse(line) as Line);
    }
  }
  await ended;
}

async function assess(pair: Pair, tracePath: string): Promise<DemoResult> {
  const { decisions, result } = parseTrace((await readFile(tracePath, 'utf8')).split('\n'));
  const begin = decisions.find(({ operation }) => operation.kind === 'migrate')?.atMilliseconds;
  if (result === undefined || begin === undefined) {
    throw new Error('the migration did not get under way; the messages above say why');
  }
  const { guestWorkLostSeconds, guestWorkLostPercent, longestGuestGapMilliseconds } =
    assessMigration(await pair.observer.observe(), begin, begin + result.totalMilliseconds);
  return { ...result, guestWorkLostSeconds, guestWorkLostPercent, longestGuestGapMilliseconds };
}
