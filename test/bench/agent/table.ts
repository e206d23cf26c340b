/** What an agent may cost, and what it does cost, for people. */
import type { MigratingCost } from './migrating.ts';
import type { RestFigures } from './resting.ts';

export interface AgentFigures {
  readonly vms: number;
  readonly seconds: number;
  readonly atRest: RestFigures;
  /** Medians. */
  readonly migrating: MigratingCost;
}

const largest = { restingCpuShare: 0.01, restingMebibytes: 96, migratingCpuShare: 0.03 };
/** Of one sample per VM and second. */
const smallestSampleShare = 0.98;

interface Goal {
  readonly text: string;
  readonly holds: boolean;
}

function goalsOf({ atRest, migrating }: AgentFigures) {
  const { cpuShare = NaN, residentMebibytes = NaN } = atRest.costs[0] ?? {};
  const most = (text: string, value: number, limit: number): Goal => ({
    text: `at most ${text}`,
    holds: value <= limit,
  });
  return {
    cpu: most('1 %', cpuShare, largest.restingCpuShare),
    memory: most('96', residentMebibytes, largest.restingMebibytes),
    samples: { text: '1', holds: atRest.samplesPerVmSecond >= smallestSampleShare },
    migrating: most('3 %', migrating.cpuShare, largest.migratingCpuShare),
  } satisfies Record<string, Goal>;
}

/** Whether every goal does. */
export function holds(figures: AgentFigures): boolean {
  return Object.values(goalsOf(figures)).every((goal) => goal.holds);
}

/** Lines of Markdown. */
export function tableOf(figures: AgentFigures): string[] {
  const { vms, seconds, atRest, migrating } = figures;
  const goals = goalsOf(figures);
  const verdict = ({ text, holds: isMet }: Goal) => `${text}: ${isMet ? 'holds' : 'does not hold'}`;
  return [
    `| ${vms} VMs at rest, once a second, over ${seconds} s | CPU, % of a core | resident, MiB | peak, MiB |`,
    '| --- | --- | --- | --- |',
    ...atRest.costs.map(
      (cost) =>
        `| ${cost.name} | ${percent(cost.cpuShare)} | ${mebibytes(cost.residentMebibytes)} | ${mebibytes(cost.peakMebibytes)} |`,
    ),
    `| goal of the agent | ${verdict(goals.cpu)} | ${verdict(goals.memory)} | - |`,
    '',
    `Samples that arrived, per VM and second: ${atRest.samplesPerVmSecond.toFixed(3)} (${verdict(goals.samples)}).`,
    '',
    '| agents, brain and bus in one command, while one VM migrates | median |',
    '| --- | --- |',
    `| CPU, % of a core (${verdict(goals.migrating)}) | ${percent(migrating.cpuShare)} |`,
    `| of that, the bus | ${percent(migrating.busCpuShare)} |`,
    `| resident memory, MiB | ${mebibytes(migrating.residentMebibytes)} |`,
  ];
}

const percent = (share: number) => (100 * share).toFixed(2);
const mebibytes = (size: number) => size.toFixed(1);
