/** The story of a recorded migration: its decisions in full sentences, beside what came of them. */
import { effectOf } from '../brain/core/effect.ts';
import type { DecisionRecord, Migration } from '../brain/core/migration.ts';
import type { Replay } from '../brain/trace/replay.ts';
import { explain, explainEffect } from '../brain/words/explain.ts';

export interface Chapter {
  readonly record: DecisionRecord;
  /** What was done, why (with all the evidence), and what was expected. */
  readonly explanation: string;
  /** Predicted beside measured; absent where nothing was, and for the destination, armed like the source. */
  readonly effect?: string;
}

export interface Story {
  readonly migration: Migration;
  readonly chapters: readonly Chapter[];
  /** False when this ferryman would decide otherwise than the one that recorded; effects are then unknown. */
  readonly retold: boolean;
}

/** Tells a replay under its recorded policy. Decisions are the recorded ones, whatever the replay says. */
export function storyOf({ migration, mismatch, recordedDecisions, recordedResult }: Replay): Story {
  const retold = mismatch === undefined;
  const records: readonly DecisionRecord[] = retold
    ? migration.decisions
    : recordedDecisions.map((decision) => ({ decision }));
  return {
    migration: { ...migration, ...(recordedResult && { result: recordedResult }) },
    chapters: records.map(chapterOf),
    retold,
  };
}

/** Tells a migration as a brain holds it, over or not, or as history remembers it. */
export function storyOfMigration(migration: Migration): Story {
  return { migration, chapters: migration.decisions.map(chapterOf), retold: true };
}

function chapterOf(record: DecisionRecord): Chapter {
  const effect = record.decision.side === 'source' ? effectOf(record) : undefined;
  const comparison = effect && explainEffect(effect);
  return {
    record,
    explanation: explain(record.decision, Infinity),
    ...(comparison && { effect: comparison }),
  };
}
