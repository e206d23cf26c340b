/**
 * What one reader is told next. There is no queue: a frame holds what has changed since the frame
 * before, so a reader that is slow gets fewer frames and is still right.
 */
import type { Entry, Store } from './store.ts';
import { detailOf } from './view/detail.ts';
import { rowOf } from './view/row.ts';
import type { Frame, Standby } from './view/view.ts';

/** Silence for longer than this would look like a broken line. */
const beatMilliseconds = 2_000;

export interface Feed {
  /** The next frame; undefined when there is nothing to tell. */
  next(nowMilliseconds: number): Frame | undefined;
}

export interface FeedOptions {
  readonly store: Store;
  /** The migration that is told of in depth. */
  readonly openId?: string | undefined;
  /** Undefined while this brain leads. */
  readonly standby: () => Standby | undefined;
}

/** A feed of the whole list, and of one migration in depth. */
export function createFeed({ store, openId, standby: standbyNow }: FeedOptions): Feed {
  const rows = createRows(store);
  const depth = createDepth(store, openId);
  let toldAtMilliseconds = -Infinity;
  return {
    next: (nowMilliseconds) => {
      const news = { ...rows(), ...depth() };
      const isDue = nowMilliseconds - toldAtMilliseconds >= beatMilliseconds;
      if (Object.keys(news).length === 0 && !isDue) return undefined;
      toldAtMilliseconds = nowMilliseconds;
      const standby = standbyNow();
      return { nowMilliseconds, ...(standby && { standby }), ...news };
    },
  };
}

function createRows(store: Store): () => Pick<Frame, 'rows' | 'gone'> {
  const told = new Map<string, number>();
  return () => {
    const changed: Entry[] = [];
    for (const entry of store.entries()) {
      if (told.get(entry.migration.id) === entry.version) continue;
      told.set(entry.migration.id, entry.version);
      changed.push(entry);
    }
    const gone = [...told.keys()].filter((id) => store.get(id) === undefined);
    gone.forEach((id) => told.delete(id));
    return {
      ...(changed.length > 0 && { rows: changed.map(({ migration }) => rowOf(migration)) }),
      ...(gone.length > 0 && { gone }),
    };
  };
}

function createDepth(
  store: Store,
  openId: string | undefined,
): () => Pick<Frame, 'detail' | 'points'> {
  let version = 0;
  let thinnings = -1;
  let toldPoints = 0;
  return () => {
    const entry = openId === undefined ? undefined : store.get(openId);
    if (entry === undefined || entry.version === version) return {};
    const { chronicle, migration } = entry;
    version = entry.version;
    const from = chronicle.thinnings === thinnings ? toldPoints : 0;
    thinnings = chronicle.thinnings;
    toldPoints = chronicle.points.length;
    return {
      detail: detailOf(migration, chronicle),
      points: { from, points: chronicle.points.slice(from) },
    };
  };
}
