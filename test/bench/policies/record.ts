/** The record of a bench: one file of JSON, grown by one cell at a time, so that a run resumes. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import type { Run } from './run.ts';

/** Grows when a reader of the older format could misread the newer one. */
const format = 1;

/** What makes a cell the same cell in a later run. */
export interface CellKey {
  readonly qemu: QemuVersion;
  readonly linkBytesPerSecond: number;
  readonly workload: string;
  readonly policy: string;
  /** From 1 on. */
  readonly run: number;
}

export interface Cell
  extends CellKey, Pick<Run, 'outcome' | 'reason' | 'postCopy' | 'restarts' | 'transferredBytes'> {
  readonly totalSeconds: number;
  readonly downtimeReportedMilliseconds: number;
  /** The longest gap in the guest's heartbeat around the end. */
  readonly downtimeSeenMilliseconds: number;
  readonly longestGuestGapMilliseconds: number;
  readonly guestWorkLostSeconds: number;
  readonly throttleSeconds: number;
  readonly maxThrottlePercent: number;
  readonly sourceCpuSeconds: number;
  readonly destinationCpuSeconds: number;
  /** While pages moved; absent where ferryman took no part. */
  readonly ferrymanCpuShare?: number;
  /** J, see brain/core/cost.ts. */
  readonly costSeconds: number;
  /**
   * V-star over R: work lost that only a foreknowing policy could undercut. Absent for a guest of
   * which nobody knows what it writes where.
   */
  readonly fluidBoundSeconds?: number;
  /** V_n over R for the round in which the throttle was first in force. */
  readonly roundBoundSeconds?: number;
  readonly throttledFromRound?: number;
  /** At the start of each round of the last attempt. */
  readonly backlogBytes: readonly number[];
  /** Cores that were busy with what is not of this bench. */
  readonly foreignCores: number;
  readonly isDisturbed: boolean;
  readonly measuredAt: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMebibytes: number;
  readonly kernel: string;
}

export interface BenchRecord {
  readonly format: typeof format;
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly deadlineSeconds: number;
  /** For what everything is compared with: what it costs shows at its end only. */
  readonly autoConvergeDeadlineSeconds: number;
  /** For choices that nobody changes on the way. */
  readonly fixedDeadlineSeconds: number;
  readonly downtimeLimitMilliseconds: number;
  readonly cells: readonly Cell[];
}

export type RecordHead = Omit<BenchRecord, 'format' | 'cells'>;

/** The record in `path`, or an empty one. Throws when the file is no record of this format. */
export function openRecord(path: string, head: RecordHead): BenchRecord {
  if (!existsSync(path)) return { format, ...head, cells: [] };
  const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<BenchRecord>;
  if (found.format !== format || !Array.isArray(found.cells)) {
    throw new Error(`${path} is no record of the policy bench: name another file with --json`);
  }
  return found as BenchRecord;
}

/** Writes beside and renames: an interrupt leaves the old record or the new one. */
export function saveRecord(path: string, record: BenchRecord): void {
  const beside = `${path}.new`;
  writeFileSync(beside, `${JSON.stringify(record, undefined, 1)}\n`);
  renameSync(beside, path);
}

/** One text per cell, the same in each run of the bench. */
export function keyOf({ qemu, linkBytesPerSecond, workload, policy, run }: CellKey): string {
  return [qemu, linkBytesPerSecond, workload, policy, run].join('/');
}

/** Those of `wanted` that are not in the record. */
export function missingFrom(record: BenchRecord, wanted: readonly CellKey[]): CellKey[] {
  const found = new Set(record.cells.map(keyOf));
  return wanted.filter((key) => !found.has(keyOf(key)));
}
