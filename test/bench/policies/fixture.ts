/** Cells for the tests of what is made of them. */
import type { BenchRecord, Cell } from './record.ts';

export function cellOf(fields: Partial<Cell> = {}): Cell {
  return {
    qemu: '7.2',
    linkBytesPerSecond: 32 * 2 ** 20,
    workload: 'random',
    policy: 'adaptive',
    run: 1,
    outcome: 'completed',
    postCopy: false,
    restarts: 0,
    transferredBytes: 2 ** 28,
    totalSeconds: 5,
    downtimeReportedMilliseconds: 200,
    downtimeSeenMilliseconds: 250,
    longestGuestGapMilliseconds: 250,
    guestWorkLostSeconds: 0.5,
    throttleSeconds: 0,
    maxThrottlePercent: 0,
    sourceCpuSeconds: 2,
    destinationCpuSeconds: 1,
    costSeconds: 7.5,
    fluidBoundSeconds: 1,
    backlogBytes: [80, 60, 55].map((mebibytes) => mebibytes * 2 ** 20),
    foreignCores: 0,
    isDisturbed: false,
    measuredAt: '2026-01-02T03:04:05.000Z',
    ...fields,
  };
}

/** A cell that was given up. */
export function failedCell(fields: Partial<Cell>): Cell {
  return cellOf({ outcome: 'cancelled', totalSeconds: 45, costSeconds: 645, ...fields });
}

export function recordOf(cells: readonly Cell[]): BenchRecord {
  return {
    format: 1,
    date: '2026-01-02',
    machine: { cpu: 'Some <CPU>', cores: 2, memoryMebibytes: 4096, kernel: '6.1' },
    versions: { ferryman: '0.1.0', node: 'v20.19.0' },
    deadlineSeconds: 45,
    autoConvergeDeadlineSeconds: 240,
    fixedDeadlineSeconds: 30,
    downtimeLimitMilliseconds: 300,
    cells,
  };
}
