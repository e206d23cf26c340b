/** The migrations known to the page: kept from frames, ordered and searched. No document needed. */
import type { Frame, Row } from '../view/view.ts';

export interface Fleet {
  take(frame: Pick<Frame, 'rows' | 'gone'>): void;
  /** Those that match all words of the search: running ones first, the newest first. */
  matching(search: string): readonly Row[];
  /** How many there are, by the word of their verdict, most first. */
  tally(): readonly (readonly [word: string, count: number])[];
}

/** Starts empty. */
export function createFleet(): Fleet {
  const rows = new Map<string, { readonly row: Row; readonly arrival: number }>();
  let arrivals = 0;
  return {
    take: ({ rows: changed = [], gone = [] }) => {
      for (const row of changed) {
        const arrival = rows.get(row.id)?.arrival ?? (arrivals += 1);
        rows.set(row.id, { row, arrival });
      }
      for (const id of gone) rows.delete(id);
    },
    matching: (search) => {
      const words = search.toLowerCase().split(/\s+/).filter(Boolean);
      return [...rows.values()]
        .filter(({ row }) => matches(row, words))
        .sort((a, b) => Number(a.row.isSettled) - Number(b.row.isSettled) || b.arrival - a.arrival)
        .map(({ row }) => row);
    },
    tally: () => {
      const counts = new Map<string, number>();
      for (const { row } of rows.values()) {
        counts.set(row.verdict.word, (counts.get(row.verdict.word) ?? 0) + 1);
      }
      return [...counts].sort(([, a], [, b]) => b - a);
    },
  };
}

function matches({ id, vm, from, to, verdict }: Row, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [id, vm, from, to, verdict.word].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}
