/** The part of `npm run bench -- predictions` on real QEMU: resumable, cell by cell. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import { messageOf } from '../../../shared/errors.ts';
import { withScratch } from '../scratch.ts';
import { measureReal, type RealCell, type RealOutcome } from './real.ts';
import { reportOf, seconds, table } from './report.ts';

export interface RealFlags {
  readonly qemu: QemuVersion;
  readonly linkBytesPerSecond: number;
  readonly workloads: readonly string[];
  readonly families: readonly RealCell['family'][];
  readonly json: string | undefined;
  /** Foretell over the link as the first migration of the record found it. */
  readonly isLearned: boolean;
}

/** Measures what the record in `--json` has not yet, and prints all that it has. */
export async function benchReal(ferryman: string, flags: RealFlags): Promise<number> {
  const { workloads, families, qemu, linkBytesPerSecond, json } = flags;
  const outcomes = readOutcomes(json);
  const cells = workloads.flatMap((workload) =>
    families.map((family): RealCell => ({ workload, family, qemu, linkBytesPerSecond })),
  );
  await withScratch(async (folder) => {
    for (const cell of cells.filter((each) => !outcomes.some((known) => isSame(known, each)))) {
      const lesson = flags.isLearned ? lessonFrom(outcomes, cell) : {};
      const told = { ...cell, ...lesson };
      const outcome = await measureReal(ferryman, folder, told).catch((error: unknown) => {
        process.stderr.write(`${cell.workload} ${cell.family}: ${messageOf(error)}\n`);
      });
      if (outcome === undefined) continue;
      outcomes.push(outcome);
      process.stderr.write(`${inWords(outcome)}\n`);
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(outcomes)}\n`);
    }
  });
  const foretold = outcomes.flatMap((outcome) => outcome.foretold ?? []);
  process.stdout.write(`${cellTable(outcomes)}\n\n${reportOf(foretold, [])}\n`);
  return 0;
}

/** Until one has taught something, the link is foretold as it is. */
function lessonFrom(
  outcomes: readonly RealOutcome[],
  { qemu, linkBytesPerSecond }: RealCell,
): Pick<RealCell, 'learnedBytesPerSecond'> {
  const teacher = outcomes.find(
    (each) =>
      each.teachesBytesPerSecond !== undefined &&
      each.qemu === qemu &&
      each.linkBytesPerSecond === linkBytesPerSecond,
  );
  const learned = teacher?.teachesBytesPerSecond;
  return learned === undefined ? {} : { learnedBytesPerSecond: learned };
}

function readOutcomes(json: string | undefined): RealOutcome[] {
  if (json === undefined || !existsSync(json)) return [];
  return JSON.parse(readFileSync(json, 'utf8')) as RealOutcome[];
}

function isSame(one: RealCell, other: RealCell): boolean {
  return (
    one.workload === other.workload &&
    one.family === other.family &&
    one.qemu === other.qemu &&
    one.linkBytesPerSecond === other.linkBytesPerSecond
  );
}

/** JSON knows no NaN: in a record that is read again it has become null. */
function shown(value: number | null | undefined, format: (value: number) => string): string {
  return Number.isFinite(value) ? format(value as number) : '-';
}

function inWords({ workload, family, foretold, skipped }: RealOutcome): string {
  if (!foretold) return `${workload} ${family}: ${skipped ?? ''}`;
  const { predicted, happened } = foretold;
  const times = [predicted.totalMilliseconds.likely, happened.totalMilliseconds].map(seconds);
  return `${workload} ${family}: predicted ${times.join(', took ')}`;
}

function cellTable(outcomes: readonly RealOutcome[]): string {
  const rows = outcomes.flatMap(({ workload, family, qemu, foretold }) => {
    if (!foretold) return [];
    const { predicted, happened, run } = foretold;
    const end = happened.completed ? seconds(happened.totalMilliseconds) : 'did not end';
    return [
      [
        workload,
        qemu,
        run === 'adaptive' ? `${family} (chosen)` : family,
        predicted.finishes ? seconds(predicted.totalMilliseconds.likely) : 'does not end',
        end,
        `${seconds(predicted.firstPassMilliseconds)} / ${shown(happened.firstPassMilliseconds, seconds)}`,
        `${predicted.ratio.likely.toFixed(2)} / ${shown(happened.ratio, (ratio) => ratio.toFixed(2))}`,
        `${String(predicted.downtimeMilliseconds.likely)} / ${String(happened.downtimeMilliseconds)} ms`,
        `${String(predicted.throttlePercent.likely)} % / ${happened.throttleSeconds.toFixed(1)} s`,
      ],
    ];
  });
  const head = ['guest', 'QEMU', 'family', 'predicted', 'took', 'first pass', 'ratio', 'downtime'];
  return table([...head, 'throttle'], rows);
}
