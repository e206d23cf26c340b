/** Which cells a bench consists of. */
import type { BenchFlags } from './flags.ts';
import { fullRuns, policies } from './policies.ts';
import type { BenchRecord, CellKey } from './record.ts';
import { bestStatic, scenesOf, type Scene } from './statistics.ts';

/** Scene by scene, so that whole comparisons are there early. */
export function grid({ qemu, links, workloads, policies: wanted, runs }: BenchFlags): CellKey[] {
  const chosen = policies.filter(
    (policy) => wanted.includes(policy.name) && (policy.qemu ?? [qemu]).includes(qemu),
  );
  return links.flatMap((linkBytesPerSecond) =>
    workloads.flatMap((workload) =>
      chosen.flatMap((policy) =>
        runsFrom(1, runs ?? policy.runs).map((run) => {
          return { qemu, linkBytesPerSecond, workload, policy: policy.name, run };
        }),
      ),
    ),
  );
}

/** Without the cells that shall be measured anew; those of other scenes stay. */
export function withoutAgain(record: BenchRecord, flags: BenchFlags): BenchRecord {
  const isAgain = ({ policy, ...cell }: CellKey): boolean =>
    flags.again.includes(policy) && isAskedFor(cell, flags);
  return { ...record, cells: record.cells.filter((cell) => !isAgain(cell)) };
}

function isAskedFor(
  scene: Pick<Scene, 'qemu' | 'linkBytesPerSecond' | 'workload'>,
  { qemu, links, workloads }: BenchFlags,
): boolean {
  return (
    scene.qemu === qemu &&
    links.includes(scene.linkBytesPerSecond) &&
    workloads.includes(scene.workload)
  );
}

/** The best static choice in hindsight is measured as often as what is compared with it. */
export function secondRuns(record: BenchRecord, flags: BenchFlags): CellKey[] {
  return scenesOf(record).flatMap((scene) => {
    const { linkBytesPerSecond, workload } = scene;
    const best = bestStatic(scene);
    if (!isAskedFor(scene, flags) || best === undefined) return [];
    return runsFrom(best.cells.length + 1, flags.runs ?? fullRuns).map((run) => {
      return { qemu: flags.qemu, linkBytesPerSecond, workload, policy: best.policy, run };
    });
  });
}

function runsFrom(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
