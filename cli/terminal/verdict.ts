import type { Migration } from '../../brain/core/migration.ts';
import type { Tone } from './style.ts';

/** How the migration stands, judged as an operator would: by the backlog found at each sync. */
export interface Verdict {
  readonly word: string;
  readonly tone: Tone;
  readonly because: string;
}

/** A backlog that kept more than this share of itself has reached its plateau. */
const plateauRatio = 0.98;

const recovering: Verdict = {
  word: 'recovering',
  tone: 'warning',
  because: 'the network broke in post-copy',
};
const restoring: Verdict = {
  word: 'tidying up',
  tone: 'accent',
  because: 'settings go back as they were',
};

const phaseVerdicts: Partial<Record<Migration['phase'], Verdict>> = {
  probing: { word: 'waiting', tone: 'accent', because: 'measuring how the guest writes' },
  switching: { word: 'switching over', tone: 'good', because: 'the rest fits the downtime limit' },
  'post-copy': { word: 'post-copy', tone: 'warning', because: 'the guest runs at the destination' },
  'recovering-destination': recovering,
  'recovering-source': recovering,
  cancelling: { word: 'cancelling', tone: 'warning', because: 'this attempt ends' },
  'restoring-source': restoring,
  'restoring-destination': restoring,
  'needs-human': { word: 'needs you', tone: 'bad', because: 'ferryman does not know what is safe' },
};

/** The verdict on a migration as it stands. */
export function verdictOf(migration: Migration): Verdict {
  if (migration.result !== undefined) return settledVerdict(migration.result);
  const fixed = phaseVerdicts[migration.phase];
  if (fixed !== undefined) return fixed;
  if (migration.phase !== 'moving') {
    return { word: 'waiting', tone: 'accent', because: 'preparing both sides' };
  }
  return movingVerdict(migration);
}

function settledVerdict(result: NonNullable<Migration['result']>): Verdict {
  return {
    word: result.outcome,
    tone: result.outcome === 'completed' ? 'good' : 'bad',
    because: result.reason ?? 'the guest runs at the destination',
  };
}

function movingVerdict({ rounds, attempts }: Migration): Verdict {
  const current = rounds.filter(({ attempt }) => attempt === attempts.at(-1)?.number);
  const last = current.at(-1);
  if (last === undefined) {
    return { word: 'waiting', tone: 'accent', because: 'the first pass sends everything once' };
  }
  const ratio = last.endRemainingBytes / Math.max(1, last.startRemainingBytes);
  const left = `the last round left ${(ratio * 100).toFixed(0)} % of its backlog`;
  return ratio < plateauRatio
    ? { word: 'converging', tone: 'good', because: left }
    : { word: 'diverging', tone: 'bad', because: left };
}
