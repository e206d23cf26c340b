/** What the tests on real QEMU share: guests, a stage that clears itself, questions to a monitor. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import type { MigrationResult } from '../../brain/core/migration.ts';
import { projectRoot, type QemuVersion } from '../../scripts/tools.mjs';
import type { Guest } from '../guests/guest.ts';
import { startPair, type Pair, type PairOptions } from '../rig/pair.ts';

/** All rows on both versions, medians of three (`npm run test:full`). */
export const isFull = process.env['FERRYMAN_FULL'] === '1';
export const repetitions = isFull ? 3 : 1;
export const bothVersions: readonly QemuVersion[] = ['7.2', '10.0'];
/** Those on which every row runs. */
export const versions: readonly QemuVersion[] = isFull ? bothVersions : ['7.2'];

export const mebibyte = 1024 * 1024;
/** What the link between source and destination carries, unless a test says otherwise. */
export const linkBytesPerSecond = 32 * mebibyte;

const busy: Guest = {
  workingSetBytes: 80 * mebibyte,
  dirtyBytesPerSecond: 15_000 * 4096,
  content: 'random',
};
export const guests = {
  /** Writes nearly twice as fast as the link carries: plain pre-copy never ends. */
  diverging: busy,
  text: { ...busy, content: 'text' },
  sparse: { ...busy, workingSetBytes: 48 * mebibyte, content: 'sparse' },
  /** Half the link's rate: plain pre-copy ends. */
  moderate: { ...busy, dirtyBytesPerSecond: linkBytesPerSecond / 2 },
  idle: { ...busy, dirtyBytesPerSecond: 0 },
  /** Four times the link's rate. */
  fourfold: { ...busy, workingSetBytes: 64 * mebibyte, dirtyBytesPerSecond: 128 * mebibyte },
  small: { workingSetBytes: 8 * mebibyte, dirtyBytesPerSecond: 0, content: 'random' },
} satisfies Readonly<Record<string, Guest>>;

/** One copy of the guest's working set at the link's speed. */
export function copyMilliseconds(guest: Guest): number {
  return (1000 * guest.workingSetBytes) / linkBytesPerSecond;
}

/** A line of `--json`. */
export type Line = Readonly<Record<string, unknown>>;

/** A ferryman process. */
export interface Ferryman {
  readonly child: ChildProcess;
  /** Lines of JSON on standard output so far. */
  readonly lines: readonly Line[];
  /** All that it said on standard error so far. */
  messages(): string;
  readonly code: Promise<number | null>;
}

/** How a migration ended. */
export interface Migrated {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly messages: string;
  readonly result: MigrationResult;
}

/** Starts what a test needs and ends all of it, by pid, in `clear`. */
export interface Stage {
  /** A folder of its own, removed at the end. */
  folder(): string;
  pair(guest: Guest, options?: Partial<PairOptions>): Promise<Pair>;
  ferryman(...words: readonly string[]): Ferryman;
  /** `ferryman run` on this pair. */
  run(pair: Pair, ...flags: readonly string[]): Ferryman;
  /** The same, to its end. */
  migrate(pair: Pair, ...flags: readonly string[]): Promise<Migrated>;
  undo(step: () => unknown): void;
  clear(): Promise<void>;
}

const bundle = join(projectRoot, 'dist/ferryman.mjs');

/** Builds `dist/ferryman.mjs` if it is older than its sources; for `before`. */
export function build(): void {
  const { status, stderr } = spawnSync(process.execPath, [join(projectRoot, 'scripts/build.mjs')]);
  assert.equal(status, 0, stderr.toString());
}

export function createStage(): Stage {
  const steps: (() => unknown)[] = [];
  const undo = (step: () => unknown) => void steps.push(step);
  const stage: Stage = {
    undo,
    folder: () => {
      const folder = mkdtempSync(join(tmpdir(), 'ferryman-test-'));
      undo(() => {
        rmSync(folder, { recursive: true, force: true });
      });
      return folder;
    },
    pair: async (guest, options = {}) => {
      const pair = await startPair({ qemu: '7.2', guest, linkBytesPerSecond, ...options });
      undo(() => pair.stop());
      return pair;
    },
    ferryman: (...words) => {
      const started = launch(words);
      undo(() => {
        started.child.kill('SIGKILL');
        return started.code;
      });
      return started;
    },
    run: (pair, ...flags) => stage.ferryman(...runWords(pair), ...flags),
    migrate: (pair, ...flags) => ended(stage.run(pair, ...flags)),
    clear: async () => {
      for (const step of steps.splice(0).reverse()) await step();
    },
  };
  return stage;
}

function launch(words: readonly string[]): Ferryman {
  const child = spawn(process.execPath, [bundle, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: Line[] = [];
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith('{')) lines.push(JSON.parse(line) as Line);
  });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, lines, messages: () => messages, code };
}

function runWords(pair: Pair): readonly string[] {
  return [
    ...['run', '--json', '--source-qmp', pair.sourceQmp, '--destination-qmp', pair.destinationQmp],
    ...['--uri', pair.uri],
    ...(pair.isShaped ? [] : ['--max-bandwidth', String(linkBytesPerSecond)]),
  ];
}

/** Waits for the end; a run that says no result failed before it began. */
export async function ended(run: Ferryman): Promise<Migrated> {
  const code = await run.code;
  const { type, ...result } = run.lines.at(-1) ?? {};
  assert.equal(type, 'result', `exit code ${code}, no result; it said: ${run.messages()}`);
  const { lines } = run;
  return { code, lines, messages: run.messages(), result: result as unknown as MigrationResult };
}

/** Polls until `isMet`; throws with `what` when it was not in time. */
export async function until(
  what: string,
  isMet: () => boolean | Promise<boolean>,
  limitMilliseconds = 30_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMilliseconds;
  while (!(await isMet())) {
    assert.ok(performance.now() < giveUpAt, `not within ${limitMilliseconds} ms: ${what}`);
    await sleep(20);
  }
}

/** True once the source sends pages. */
export function isMoving({ lines }: Ferryman): boolean {
  return lines.some(({ side, status }) => side === 'source' && status === 'active');
}

/** Decisions in order, by their rule. */
export function rulesOf(lines: readonly Line[]): readonly unknown[] {
  return lines.flatMap(({ type, rule }) => (type === 'decision' ? [rule] : []));
}

interface Operation {
  readonly kind: string;
  readonly arming?: { readonly family: string; readonly autoConverge: boolean };
}

/** What a decision does. */
export const operationOf = ({ operation }: Line) => operation as Operation | undefined;

/** Families in which the source was armed, attempt by attempt. */
export function familiesOf(lines: readonly Line[]): readonly string[] {
  return lines
    .filter(({ type, side }) => type === 'decision' && side === 'source')
    .flatMap((line) => operationOf(line)?.arming?.family ?? []);
}

/** The reply of one monitor to one command; undefined when nobody answers any more. */
export async function ask(path: string, command: string): Promise<Line | undefined> {
  try {
    const monitor = await openQmp(path);
    const reply = await monitor.execute(command).finally(() => {
      monitor.close();
    });
    return reply as Line;
  } catch {
    return undefined;
  }
}

/** The sides on which the VM runs now. */
export async function runningSides(pair: Pair): Promise<readonly string[]> {
  const statuses = {
    source: await ask(pair.sourceQmp, 'query-status'),
    destination: await ask(pair.destinationQmp, 'query-status'),
  };
  return Object.entries(statuses).flatMap(([side, reply]) => (reply?.['running'] ? [side] : []));
}

/** All migration settings of one side. */
export async function settingsOf(path: string): Promise<readonly unknown[]> {
  return [
    await ask(path, 'query-migrate-parameters'),
    await ask(path, 'query-migrate-capabilities'),
  ];
}

/** The middle of an odd number of figures. */
export function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}
