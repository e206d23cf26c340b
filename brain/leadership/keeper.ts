/**
 * What outlives a brain: holds, and each migration as it stood when something was last decided. The
 * next brain, here or elsewhere, goes on from there. It is kept by nats-server, the one thing that
 * all brains share; a server without JetStream keeps nothing.
 */
import * as z from 'zod';
import type { Bus } from '../../shared/bus.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { StateStore, StoredValue } from '../../shared/state-store.ts';
import { keptSubject } from '../../shared/subjects.ts';
import type { Migration } from '../core/migration.ts';
import type { Sides } from '../migrations/routing.ts';

export interface KeptMigration {
  readonly migration: Migration;
  readonly sides: Sides;
}

export interface Keeper {
  /**
   * Sends it ahead of the command that was decided, over the same connection: what an agent hears of
   * is kept already, and nobody waits.
   */
  migration(kept: KeptMigration): void;
  forget(id: string): void;
  /** Resolves with whether it is kept. */
  hold(uuid: string, reason: string): Promise<boolean>;
  release(uuid: string): Promise<boolean>;
}

/** What a brain finds when it begins to lead. */
export interface KeptState {
  readonly holds: ReadonlyMap<string, string>;
  readonly migrations: readonly (KeptMigration & { readonly keptAtMilliseconds: number })[];
}

/** Keeps nothing. */
export const noKeeper: Keeper = {
  migration: () => undefined,
  forget: () => undefined,
  hold: () => Promise.resolve(false),
  release: () => Promise.resolve(false),
};

/** Grows when an older brain could misread what a newer one has kept. */
const format = 1;
const prefixes = { hold: 'hold.', migration: 'migration.' } as const;

export interface KeeperOptions {
  readonly bus: Pick<Bus, 'publish'>;
  readonly store: Pick<StateStore, 'put' | 'remove'>;
  readonly log: Log;
}

/** None of its promises reject. */
export function createKeeper({ bus, store, log }: KeeperOptions): Keeper {
  const confirmed = (what: string, work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      (error: unknown) => {
        log.warn({ what, error: messageOf(error) }, 'not kept for the next brain');
        return false;
      },
    );
  return {
    migration: ({ migration, sides }) => {
      try {
        const payload = encode({ format, migration, sides });
        bus.publish(keptSubject(`${prefixes.migration}${migration.id}`), payload);
      } catch (error) {
        const { id } = migration;
        log.warn({ id, error: messageOf(error) }, 'not kept for the next brain');
      }
    },
    forget: (id) => void confirmed('forget', store.remove(`${prefixes.migration}${id}`)),
    hold: (uuid, reason) =>
      confirmed('hold', store.put(holdKey(uuid), encode({ format, uuid, reason }))),
    release: (uuid) => confirmed('release', store.remove(holdKey(uuid))),
  };
}

/** Reads all of it; what is not understood is logged and left out. Rejects when nobody answers. */
export async function readKept(store: Pick<StateStore, 'list'>, log: Log): Promise<KeptState> {
  const understood = <T>(schema: z.ZodType<T>, { key, payload }: StoredValue): readonly T[] => {
    const parsed = schema.safeParse(parseJson(payload));
    if (!parsed.success) log.warn({ key }, 'what an earlier brain has kept is not understood');
    return parsed.success ? [parsed.data] : [];
  };
  const [holds, migrations] = await Promise.all([
    store.list(prefixes.hold),
    store.list(prefixes.migration),
  ]);
  return {
    holds: new Map(
      holds
        .flatMap((value) => understood(holdSchema, value))
        .map(({ uuid, reason }) => [uuid, reason]),
    ),
    migrations: migrations.flatMap((value) =>
      understood(migrationSchema, value).map((kept) => ({
        ...(kept as unknown as KeptMigration),
        keptAtMilliseconds: value.atMilliseconds,
      })),
    ),
  };
}

const holdSchema = z.object({ format: z.literal(format), uuid: z.string(), reason: z.string() });
// A brain of the same format wrote it; only the frame is checked.
const migrationSchema = z.object({
  format: z.literal(format),
  migration: z.looseObject({
    id: z.string(),
    policy: z.string(),
    phase: z.string(),
    nowMilliseconds: z.number(),
    decisions: z.array(z.unknown()),
  }),
  sides: z.looseObject({ source: z.looseObject({ host: z.string(), monitor: z.string() }) }),
});

/** A UUID holds nothing else. */
function holdKey(uuid: string): string {
  return `${prefixes.hold}${uuid.replace(/[^A-Za-z0-9-]/g, '_')}`;
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}
