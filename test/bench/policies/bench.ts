/**
 * `npm run bench -- policies`: workload x policy on real QEMU over a shaped link. Cells that are in
 * the record already are not run again.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatMilliseconds } from '../../../brain/words/figures.ts';
import { isExecutable, tools } from '../../../scripts/tools.mjs';
import { messageOf } from '../../../shared/errors.ts';
import { withScratch } from '../scratch.ts';
import { measureCell, type CellOptions } from './cell.ts';
import { benchFlags, type BenchFlags } from './flags.ts';
import { grid, secondRuns, withoutAgain } from './grid.ts';
import { renderPage } from './page.ts';
import { isSteered, policies } from './policies.ts';
import { keyOf, missingFrom, openRecord, saveRecord } from './record.ts';
import type { BenchRecord, CellKey, Machine } from './record.ts';
import { hostBusyCores } from './cpu-watch.ts';
import { sceneName, verdictsOf } from './verdicts.ts';
import { tableOf, verdictLines } from './table.ts';
import { workloads } from './workloads.ts';

const deadlineSeconds = 45;
/** Whoever cannot change its mind is given up sooner: none of this length was ever the best choice. */
const fixedDeadlineSeconds = 30;
/** What everything is compared with goes on to its end: given up early, it would look gentle. */
const autoConvergeDeadlineSeconds = 240;
const downtimeLimitMilliseconds = 300;
/** A cell that does not get under way is tried again once, then left out. */
const tries = 2;
/** With more cores busy than this before a cell begins, it waits, but not for ever. */
const quietCores = 0.4;
const quietPollMilliseconds = 1000;

const say = (text: string): unknown => process.stderr.write(`${text}\n`);

/** Runs all that is missing; resolves to the exit code. */
export async function benchPolicies(ferryman: string, words: readonly string[]): Promise<number> {
  const flags = benchFlags(words);
  mkdirSync(dirname(flags.json), { recursive: true });
  const record = await withScratch(async (folder) => {
    // The bundle may be built anew while this runs for hours.
    const bundle = join(folder, 'ferryman.mjs');
    copyFileSync(ferryman, bundle);
    const before = withoutAgain(openRecord(flags.json, headOf()), flags);
    const after = await runAll(before, grid(flags), flags, bundle);
    return runAll(after, secondRuns(after, flags), flags, bundle);
  });
  process.stdout.write(`${[tableOf(record), ...verdictLines(verdictsOf(record))].join('\n')}\n`);
  return 0;
}

async function runAll(
  before: BenchRecord,
  wanted: readonly CellKey[],
  flags: BenchFlags,
  ferryman: string,
): Promise<BenchRecord> {
  let record = before;
  const missing = missingFrom(record, wanted);
  const startedAt = Date.now();
  for (const [index, key] of missing.entries()) {
    if (isHopeless(record, key)) continue;
    const left =
      index === 0 ? undefined : ((Date.now() - startedAt) / index) * (missing.length - index);
    const eta = left === undefined ? '' : `, ${formatMilliseconds(left)} left`;
    say(`${index + 1}/${missing.length}${eta}: ${sceneName(key)}, ${key.policy}, run ${key.run}`);
    await waitForQuiet(flags.patienceMilliseconds);
    record = await addCell(record, key, ferryman);
    write(flags.json, record);
  }
  return record;
}

/** What nobody steers and what did not end once does not end a second time. */
function isHopeless({ cells }: BenchRecord, key: CellKey): boolean {
  const isSame = (cell: CellKey) =>
    sceneName(cell) === sceneName(key) && cell.policy === key.policy;
  return (
    !isSteered(key.policy) && cells.some((cell) => isSame(cell) && cell.outcome !== 'completed')
  );
}

async function addCell(record: BenchRecord, key: CellKey, ferryman: string): Promise<BenchRecord> {
  const options = optionsFor(key, record, ferryman);
  for (let attempt = 1; attempt <= tries; attempt++) {
    try {
      const cell = await measureCell(options);
      const lost = formatMilliseconds(1000 * cell.guestWorkLostSeconds);
      const note = cell.isDisturbed ? ', disturbed' : '';
      const total = formatMilliseconds(1000 * cell.totalSeconds);
      say(`    ${cell.outcome} in ${total}, J ${cell.costSeconds.toFixed(1)}, lost ${lost}${note}`);
      return { ...record, cells: [...record.cells, cell] };
    } catch (error) {
      say(`    ${keyOf(key)}: ${messageOf(error)}`);
    }
  }
  return record;
}

function optionsFor(key: CellKey, record: BenchRecord, ferryman: string): CellOptions {
  const workload = workloads.find(({ name }) => name === key.workload);
  const policy = policies.find(({ name }) => name === key.policy);
  if (workload === undefined || policy === undefined) throw new Error(`unknown: ${keyOf(key)}`);
  const limits = {
    deadlineSeconds: deadlineOf(key.policy, record),
    downtimeLimitMilliseconds: record.downtimeLimitMilliseconds,
  };
  return { key, workload, policy, ferryman, folder: dirname(ferryman), ...limits };
}

function deadlineOf(policy: string, record: BenchRecord): number {
  if (policy === 'auto-converge') return record.autoConvergeDeadlineSeconds;
  return isSteered(policy) ? record.deadlineSeconds : record.fixedDeadlineSeconds;
}

/** Between two cells nothing of ours runs: what is busy then is others'. */
async function waitForQuiet(patienceMilliseconds: number): Promise<void> {
  const giveUpAt = Date.now() + patienceMilliseconds;
  while (Date.now() < giveUpAt && (await hostBusyCores(quietPollMilliseconds)) > quietCores) {
    await sleep(quietPollMilliseconds);
  }
}

function write(path: string, record: BenchRecord): void {
  saveRecord(path, record);
  const beside = path.replace(/\.json$/, '');
  const verdicts = verdictLines(verdictsOf(record));
  writeFileSync(`${beside}.md`, [tableOf(record), ...verdicts, ''].join('\n'));
  writeFileSync(`${beside}.html`, renderPage(record));
}

function headOf(): Omit<BenchRecord, 'format' | 'cells'> {
  const { version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string };
  const machine: Machine = {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryMebibytes: Math.round(os.totalmem() / 2 ** 20),
    kernel: os.release(),
  };
  const versions = { ferryman: version, node: process.version, ...qemuVersions() };
  const date = new Date().toISOString().slice(0, 10);
  const deadlines = { deadlineSeconds, autoConvergeDeadlineSeconds, fixedDeadlineSeconds };
  const limits = { ...deadlines, downtimeLimitMilliseconds };
  return { date, machine, versions, ...limits };
}

/** Those that are installed, in their own words. */
function qemuVersions(): Record<string, string> {
  const installed = Object.values(tools().qemu).filter(({ binary }) => isExecutable(binary));
  const versions = installed.map(({ binary, args }) => {
    const said = execFileSync(binary, [...args, '--version'], { encoding: 'utf8' });
    return /version ([\d.]+)/.exec(said)?.[1] ?? 'unknown';
  });
  return { QEMU: versions.join(' and ') };
}
