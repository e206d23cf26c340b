/**
 * Predictions against real QEMU: the built command predicts, then what it would choose is run by
 * `ferryman run`, and what else needs no throttle straight over QMP.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import type { LinkProvenance } from '../../../brain/core/input.ts';
import { learnedBytesPerSecond } from '../../../brain/core/link-lesson.ts';
import type { FamilyPrediction, MigrationPrediction } from '../../../brain/core/prediction.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { replayTrace } from '../../../brain/trace/replay.ts';
import { parseTrace } from '../../../brain/trace/trace.ts';
import { tools, type QemuVersion } from '../../../scripts/tools.mjs';
import type { Family } from '../../../shared/sample.ts';
import { startPair, type Pair } from '../../rig/pair.ts';
import { runFerryman, type RunContext } from '../policies/ferryman-run.ts';
import { policies, type StaticChoice } from '../policies/policies.ts';
import { roundsOf, type Run } from '../policies/run.ts';
import { runStatic } from '../policies/static-run.ts';
import { workloads } from '../policies/workloads.ts';
import type { Foretold, Happened } from './foretold.ts';

export interface RealCell {
  readonly workload: string;
  readonly family: Family;
  readonly qemu: QemuVersion;
  readonly linkBytesPerSecond: number;
  /** Foretold over this link, as an earlier migration found it, and not as it is. */
  readonly learnedBytesPerSecond?: number;
}

/** A cell's outcome, with what the probe had said; `skipped` tells why there was nothing to compare. */
export interface RealOutcome extends RealCell {
  readonly guest?: MigrationPrediction['guest'];
  readonly foretold?: Foretold;
  readonly skipped?: string;
  /** What it taught about the link. */
  readonly teachesBytesPerSecond?: number;
}

/** Those that behave after the start as they did before it. */
export const realWorkloads = [
  'idle',
  'moderate',
  'text',
  'sparse',
  'sparse-big',
  'mixed',
  'hot-set',
  'random',
] as const;
export const realFamilies = ['plain', 'xbzrle', 'multifd-zstd', 'multifd-zlib'] as const;

const deadlineSeconds = 40;
const downtimeLimitMilliseconds = 300;
/** Of `ip`, on every byte of payload of the rig's link. */
const wireBytesPerPayloadByte = 1.0095;
const pageBytes = 4096;

/** Predicts one guest and migrates it. Throws what kept it from getting under way. */
export async function measureReal(
  ferryman: string,
  folder: string,
  cell: RealCell,
): Promise<RealOutcome> {
  const { workload: name, family, qemu, linkBytesPerSecond } = cell;
  const hint = linkOption(cell.learnedBytesPerSecond ?? linkBytesPerSecond);
  const workload = workloads.find((each) => each.name === name);
  if (!workload) throw new RangeError(`there is no workload ${name}`);
  const guest = workload.guest(linkBytesPerSecond);
  const tracePath = join(folder, 'trace.jsonl');
  const pair = await startPair({ qemu, guest, linkBytesPerSecond });
  try {
    const prediction = await predict(ferryman, pair, hint);
    const predicted = prediction.families.find((each) => each.family === family);
    const isChosen = prediction.chosen.family === family;
    const known = { ...cell, ...(prediction.guest && { guest: prediction.guest }) };
    if (!predicted) return { ...known, skipped: 'this QEMU has it not' };
    if (!isChosen && predicted.throttlePercent.likely > 0) {
      return { ...known, skipped: 'it would be throttled, and is not what is chosen' };
    }
    const context: RunContext = {
      linkBytesPerSecond,
      deadlineSeconds,
      downtimeLimitMilliseconds,
      onStart: () => undefined,
    };
    const before = wireBytes(pair);
    const run = isChosen
      ? await runFerryman(pair, {
          ...context,
          ferryman,
          policy: 'adaptive',
          options: hint,
          tracePath,
          onProcess: () => undefined,
        })
      : await runStatic(pair, choiceOf(predicted), context);
    const transferredBytes = wireBytes(pair) - before;
    const pages = isChosen ? pagesByTrace(tracePath) : await pagesByQemu(pair);
    const happened = happenedTo(run, transferredBytes, pages);
    const foretold: Foretold = {
      name: `${name} ${qemu}`,
      workload: name,
      isSteady: true,
      run: isChosen ? 'adaptive' : 'held',
      link: provenanceIn(cell, prediction),
      predicted,
      happened,
    };
    return { ...known, foretold, ...(isChosen && lessonOf(tracePath)) };
  } finally {
    await pair.stop();
  }
}

async function predict(
  ferryman: string,
  pair: Pair,
  hint: readonly string[],
): Promise<MigrationPrediction> {
  const words = ['predict', '--json', '--source-qmp', pair.sourceQmp];
  const all = [ferryman, ...words, ...hint];
  const { stdout } = await promisify(execFile)(process.execPath, all, {
    env: { FERRYMAN_NATS_SERVER: tools().natsServer, ...process.env },
  });
  return JSON.parse(stdout) as MigrationPrediction;
}

function linkOption(bytesPerSecond: number): readonly string[] {
  return ['--link-bandwidth', String(bytesPerSecond)];
}

/** As the policy bench sets it; what is not in its list is plain pre-copy. */
function choiceOf({ family }: FamilyPrediction): StaticChoice {
  const name = family === 'xbzrle' ? 'xbzrle-64' : family;
  const choice = policies.find((each) => each.name === name)?.choice;
  return choice === undefined || choice === 'ferryman'
    ? { capabilities: [], parameters: {} }
    : choice;
}

function provenanceIn(cell: RealCell, { link }: MigrationPrediction): LinkProvenance {
  return cell.learnedBytesPerSecond === undefined ? link.provenance : 'learned';
}

/** What the brain would remember of the link after this run. */
function lessonOf(tracePath: string): Pick<RealOutcome, 'teachesBytesPerSecond'> {
  const lines = readFileSync(tracePath, 'utf8').split('\n');
  const { migration } = replayTrace(lines, { reduce, start: startMigration });
  const learned = learnedBytesPerSecond(migration);
  return learned === undefined ? {} : { teachesBytesPerSecond: learned };
}

/** Payload on the wire so far, both ways: QEMU 7.2 counts multifd's bytes before it compresses them. */
function wireBytes(pair: Pair): number {
  const counters = readFileSync(`/proc/${String(pair.sourcePid())}/net/dev`, 'utf8');
  const received = Number(/^\s*lo:\s*(\d+)/m.exec(counters)?.[1]);
  return received / wireBytesPerPayloadByte;
}

/** Pages sent with content, as QEMU counts them at the end of a run of the bench's own. */
async function pagesByQemu(pair: Pair): Promise<number> {
  const monitor = await openQmp(pair.sourceQmp);
  const { ram, 'xbzrle-cache': cache } = (await monitor.execute('query-migrate')) as {
    readonly ram?: { readonly normal: number };
    readonly 'xbzrle-cache'?: { readonly pages: number };
  };
  monitor.close();
  return (ram?.normal ?? NaN) + (cache?.pages ?? 0);
}

/** The same by the trace of a run of ferryman's, which has put all capabilities back by now. */
function pagesByTrace(tracePath: string): number {
  const { inputs } = parseTrace(readFileSync(tracePath, 'utf8').split('\n'));
  const counted = inputs.flatMap((input): number[] => {
    if (input.kind !== 'sample' || input.side !== 'source' || !input.sample.ram) return [];
    return [input.sample.ram.normalPages + (input.sample.xbzrle?.encodedPages ?? 0)];
  });
  return Math.max(...counted);
}

function happenedTo(run: Run, transferredBytes: number, sentPages: number): Happened {
  const firstSync = run.readings.find(({ dirtySyncCount }) => dirtySyncCount === 2);
  return {
    completed: run.outcome === 'completed',
    totalMilliseconds: run.totalMilliseconds,
    transferredBytes,
    downtimeMilliseconds: run.downtimeMilliseconds,
    ratio: (sentPages * pageBytes) / transferredBytes,
    throttleSeconds: run.throttleSeconds,
    firstPassMilliseconds: (firstSync?.atMilliseconds ?? NaN) - run.startMilliseconds,
    rounds: roundsOf(run.readings).backlogBytes.length,
  };
}
