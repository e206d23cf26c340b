/**
 * The simulator against real QEMU: recorded migrations, lived through again under the decisions that
 * were really taken.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseTrace } from '../../brain/trace/trace.ts';
import type { Content as GuestContent } from '../guests/guest.ts';
import { linkBytesPerSecond } from '../system/support.ts';
import { kinds, type Kind } from '../traces/kinds.ts';
import { recordedBacklogs, retrace, type Backlog, type Recorded } from './retrace.ts';
import type { Scenario } from './simulation.ts';
import { contents, mebibyte, pageBytes, workingSet, type Content } from './workload.ts';

/** Kept as they were recorded on a quiet machine, where golden traces are decided anew. */
const recordings = join(import.meta.dirname, 'recordings');
const tolerance = 0.1;
/** The real guests' images begin here; what lies before is zero and sent in no time. */
const imageBytes = 2 * mebibyte;
const zeroes: Content = { zeroShare: 1, compressionRatio: 1, deltaShare: 1 };
/** 4.9 is what zstd level 1 makes of the guests' text [measured on the wire of text-10.0]. */
const contentOf: Partial<Record<GuestContent, Content>> = {
  random: contents.random,
  sparse: contents.counters,
  text: { ...contents.text, compressionRatio: 4.9 },
};
/**
 * QEMU's throttle runs a vCPU for 10 ms in 100 at 90 %. These guests work in ticks of 10 ms and never
 * catch up, so that they get one tick or two done in ten: as if they wanted 0.6 of a CPU.
 */
const vcpuBusyShare = 0.6;
/** Both ends of two channels and the guest share two cores: zstd gets 56 000 pages a second [measured]. */
const idleCpuCores = 0.85;
/**
 * Text is through within half a second and one sync. QEMU looks at what is left every 50 ms, and
 * sends half of a backlog in that time: where in between the sync falls is chance.
 */
const hasComparableBacklogs = (name: string): boolean => !name.startsWith('text');

function linesOf(file: string): readonly string[] {
  return gunzipSync(readFileSync(join(recordings, file)))
    .toString()
    .trimEnd()
    .split('\n');
}

function scenarioOf(name: string, { guest }: Kind, { inputs }: Recorded): Scenario {
  const attach = inputs.find((input) => input.kind === 'attach' && input.side === 'source');
  assert.ok(attach?.kind === 'attach');
  return {
    seed: 1,
    version: name.endsWith('7.2') ? '7.2' : '10.0',
    linkBytesPerSecond,
    idleCpuCores,
    workload: workingSet({
      ramBytes: attach.facts.ramBytes - imageBytes,
      bytes: guest.workingSetBytes,
      pagesPerSecond: guest.dirtyBytesPerSecond / pageBytes,
      writtenContent: contentOf[guest.content] ?? contents.random,
      restContent: zeroes,
      vcpuBusyShare,
    }),
  };
}

/** How far a recorded backlog lies outside of what a sample of the simulated one may see. */
function errorOf(recordedBytes: number, { leastBytes, mostBytes }: Backlog): number {
  const nearest = Math.min(mostBytes, Math.max(leastBytes, recordedBytes));
  return Math.abs(nearest / recordedBytes - 1);
}

describe('recorded migrations, lived through in the simulator', () => {
  for (const file of readdirSync(recordings)) {
    const name = file.replace('.jsonl.gz', '');
    const trace = parseTrace(linesOf(file));
    const kind = kinds[name.replace(/-[\d.]+$/, '')];
    assert.ok(kind, `${name} is of a kind that kinds.ts does not know`);
    const totalMilliseconds = trace.result?.totalMilliseconds ?? NaN;
    const course = retrace(trace, scenarioOf(name, kind, trace));

    it(`${name} takes as long`, () => {
      const error = Math.abs(course.totalMilliseconds / totalMilliseconds - 1);
      assert.ok(error <= tolerance, `${course.totalMilliseconds} ms, really ${totalMilliseconds}`);
    });

    if (hasComparableBacklogs(name)) {
      it(`${name} leaves the same backlogs`, () => {
        for (const [attempt, recorded] of recordedBacklogs(trace).entries())
          compare(recorded, course.backlogs[attempt] ?? new Map());
      });
    }
  }
});

/** All but the first sync, which finds the whole RAM. */
function compare(
  recorded: ReadonlyMap<number, number>,
  simulated: ReadonlyMap<number, Backlog>,
): void {
  for (const [sync, bytes] of recorded) {
    if (sync === 1) continue;
    const backlog = simulated.get(sync);
    assert.ok(backlog, `no sync ${sync}, where ${bytes} bytes were left`);
    const error = errorOf(bytes, backlog);
    assert.ok(error <= tolerance, `${(100 * error).toFixed(1)} % off at sync ${sync}`);
  }
}
