import type { Migration } from '../core/migration.ts';
import { isCalledEndless, tendency, type Tendency } from '../core/tendency.ts';

/** How the migration stands, in a word and the figure it rests on. */
export interface Verdict {
  readonly word: string;
  readonly tone: 'good' | 'warning' | 'bad' | 'accent';
  readonly because: string;
}

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

const movingVerdicts: Readonly<Record<Tendency['verdict'], Verdict>> = {
  unknown: { word: 'waiting', tone: 'accent', because: 'no sample yet' },
  'first-pass': { word: 'first pass', tone: 'accent', because: 'everything is sent once' },
  converging: { word: 'converging', tone: 'good', because: 'the backlog shrinks' },
  plateau: { word: 'plateau', tone: 'warning', because: 'the backlog hardly shrinks' },
  diverging: { word: 'diverging', tone: 'bad', because: 'the guest writes faster than the link' },
};

/** Two rounds say so: without help it does not end. */
const endless = { word: 'endless', tone: 'bad' } as const;

const secondRound: Verdict = {
  word: 'waiting',
  tone: 'accent',
  because: 'the first full round will tell',
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

function movingVerdict(migration: Migration): Verdict {
  const { verdict, leak, contraction } = tendency(migration);
  if (contraction !== undefined) {
    const because = `the last round left ${percent(contraction)} of its backlog`;
    const judged = isCalledEndless(migration) ? endless : movingVerdicts[verdict];
    return { ...judged, because };
  }
  if (leak === undefined && (migration.openRound?.number ?? 0) > 1) return secondRound;
  if (leak === undefined) return movingVerdicts[verdict];
  return {
    ...movingVerdicts[verdict],
    because: `a round is expected to leave ${percent(leak)} of its backlog`,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
