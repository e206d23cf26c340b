/**
 * Which of several brains leads. The leader holds a lease, one value in the store that all share,
 * and renews it; the others watch it and take over once it has not changed for as long as it lasts,
 * each by its own monotonic clock (P3: no two clocks need to agree). A write counts only if nobody
 * wrote since the writer looked, so two never win. A leader that cannot renew ceases to lead well
 * before others may follow (P4), whatever its timers do: it is asked at the moment of each command.
 */
import * as z from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { StateStore, StoredValue } from '../../shared/state-store.ts';

/** Without a renewal for as long, others take over. */
const leaseMilliseconds = 2_000;
/** Without a renewal for as long, the leader leads no more. */
const fenceMilliseconds = 0.7 * leaseMilliseconds;
const stepMilliseconds = 350;
/** How often those who stand by say so. */
const standbyMilliseconds = 5_000;

/** Epochs are the time or little more: a brain's clock may be wrong by as much. */
const mostAheadMilliseconds = 7 * 86_400_000;

/** A time in which this brain leads. */
export interface Term {
  readonly epoch: number;
  /** Nobody else has led since this brain last did: what it knew then still holds. */
  readonly isContinued: boolean;
  /** When the lease was last renewed before, and when it was taken, by the server's clock. */
  readonly vacantSinceMilliseconds: number;
  readonly takenAtMilliseconds: number;
}

export interface LeadershipOptions {
  readonly store: Pick<StateStore, 'get' | 'put'>;
  readonly brain: string;
  /** Something that no other life of this brain has. */
  readonly life: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The greatest epoch that any agent has heard of: the store may have been lost. */
  readonly heardEpoch: () => number;
  readonly onTerm: (term: Term) => void;
  /** Told after each step. */
  readonly onStep?: () => void;
}

const leaseSchema = z.object({
  epoch: z.int().nonnegative(),
  brain: z.string(),
  life: z.string(),
  /** Given back: nobody needs to wait for its end. */
  isFree: z.boolean(),
});
type Lease = z.infer<typeof leaseSchema>;

/** The lease as it was found. */
interface Sight {
  /** 0 when there was none. */
  readonly revision: number;
  /** What is no lease is overwritten like one that has run out. */
  readonly lease: Lease | undefined;
  readonly atMilliseconds: number;
}

/** Follows until it finds that it may lead. */
export class Leadership {
  readonly #options: LeadershipOptions;
  #held: { readonly epoch: number; readonly renewedAtMilliseconds: number } | undefined;
  #sight: Sight = sightOf(undefined);
  #unchangedSinceMilliseconds: number;
  #saidAtMilliseconds = -Infinity;
  #isTroubled = false;
  #timer: NodeJS.Timeout | undefined;
  #stepping: Promise<void> | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#unchangedSinceMilliseconds = this.#now();
  }

  /** The epoch in which this brain leads at this very moment; undefined while it does not. */
  epoch(): number | undefined {
    const held = this.#held;
    const isFenced = held && this.#now() - held.renewedAtMilliseconds > fenceMilliseconds;
    return isFenced ? undefined : held?.epoch;
  }

  /** Who leads, as last seen. */
  leader(): string | undefined {
    const { lease } = this.#sight;
    return lease?.isFree === true ? undefined : lease?.brain;
  }

  start(): void {
    const again = async (): Promise<void> => {
      await this.step();
      if (this.#timer !== undefined) this.#timer = setTimeout(() => void again(), stepMilliseconds);
    };
    this.#timer = setTimeout(() => void again(), 0);
  }

  /** One renewal, or one look at who leads. Never rejects. */
  step(): Promise<void> {
    this.#stepping = this.#step();
    return this.#stepping;
  }

  async #step(): Promise<void> {
    try {
      await (this.#isObeyed(this.epoch()) ? this.#renew() : this.#claim());
      this.#isTroubled = false;
    } catch (error) {
      const problem = messageOf(error);
      if (!this.#isTroubled)
        this.#options.log.warn({ error: problem }, 'the lease is out of reach');
      this.#isTroubled = true;
    }
    this.#options.onStep?.();
  }

  /** Leads no more; another may do so at once. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#stepping;
    const epoch = this.epoch();
    this.#held = undefined;
    if (epoch !== undefined) await this.#write(epoch, true).catch(() => undefined);
  }

  async #renew(): Promise<void> {
    const epoch = this.#held?.epoch ?? 0;
    const renewedAtMilliseconds = this.#now();
    const revision = await this.#write(epoch, false);
    // Somebody was quicker, or an answer to ourselves was lost.
    if (revision === undefined) return this.#claim();
    this.#held = { epoch, renewedAtMilliseconds };
    this.#sight = { ...this.#sight, revision };
  }

  async #claim(): Promise<void> {
    await this.#look();
    const { lease, atMilliseconds } = this.#sight;
    const isForeign = lease !== undefined && lease.life !== this.#options.life;
    if (isForeign) this.#held = undefined;
    if (isForeign && !lease.isFree && !this.#hasRunOut()) return this.#standBy();
    const before = this.#held?.epoch;
    const epoch = lease && this.#isObeyed(before) ? before : this.#nextEpoch();
    await this.#take(epoch, lease && atMilliseconds);
  }

  /** `vacantSinceMilliseconds` is absent when there was no lease. */
  async #take(epoch: number, vacantSinceMilliseconds: number | undefined): Promise<void> {
    const isContinued = this.#held !== undefined;
    const renewedAtMilliseconds = this.#now();
    if ((await this.#write(epoch, false)) === undefined) return;
    await this.#look();
    this.#held = { epoch, renewedAtMilliseconds };
    this.#options.log.info({ epoch, isContinued }, 'this brain leads');
    const takenAtMilliseconds = this.#sight.atMilliseconds;
    this.#options.onTerm({
      ...{ epoch, isContinued, takenAtMilliseconds },
      vacantSinceMilliseconds: vacantSinceMilliseconds ?? takenAtMilliseconds,
    });
  }

  /** An agent that has heard of a later epoch obeys nobody of this one. */
  #isObeyed(epoch: number | undefined): epoch is number {
    return epoch !== undefined && epoch >= this.#heardEpoch();
  }

  async #look(): Promise<void> {
    const sight = sightOf(await this.#options.store.get(leaderKey));
    const isSame = sight.revision === this.#sight.revision;
    if (!isSame) this.#unchangedSinceMilliseconds = this.#now();
    this.#sight = sight;
  }

  #hasRunOut(): boolean {
    return this.#now() - this.#unchangedSinceMilliseconds >= leaseMilliseconds;
  }

  async #standBy(): Promise<void> {
    const { store, brain } = this.#options;
    if (this.#now() - this.#saidAtMilliseconds < standbyMilliseconds) return;
    this.#saidAtMilliseconds = this.#now();
    await store.put(`${standbyPrefix}${brain}`, encode({ brain }));
  }

  #write(epoch: number, isFree: boolean): Promise<number | undefined> {
    const { store, brain, life } = this.#options;
    return store.put(leaderKey, encode({ epoch, brain, life, isFree }), this.#sight.revision);
  }

  /** Greater than all before; the time keeps it so when even the store was lost. */
  #nextEpoch(): number {
    const last = Math.max(this.#sight.lease?.epoch ?? 0, this.#heardEpoch());
    return Math.max(last + 1, this.#options.clock.wallMilliseconds());
  }

  /** As far as it can be true: a host that lies must not use up all epochs. */
  #heardEpoch(): number {
    const { clock, heardEpoch } = this.#options;
    const heard = heardEpoch();
    return heard > clock.wallMilliseconds() + mostAheadMilliseconds ? 0 : heard;
  }

  #now(): number {
    return this.#options.clock.monotonicMilliseconds();
  }
}

/** The brains that wait for the leader to fail. Rejects when the store is out of reach. */
export async function standbysOf(
  store: Pick<StateStore, 'get' | 'list'>,
): Promise<readonly string[]> {
  const lease = sightOf(await store.get(leaderKey));
  const oldest = lease.atMilliseconds - 3 * standbyMilliseconds;
  return (await store.list(standbyPrefix))
    .filter(({ atMilliseconds }) => atMilliseconds > oldest)
    .map(({ key }) => key.slice(standbyPrefix.length))
    .filter((brain) => brain !== lease.lease?.brain)
    .sort();
}

const leaderKey = 'leader';
const standbyPrefix = 'standby.';

function sightOf(value: StoredValue | undefined): Sight {
  if (value === undefined) return { revision: 0, lease: undefined, atMilliseconds: 0 };
  const { revision, atMilliseconds, payload } = value;
  return { revision, atMilliseconds, lease: parseLease(payload) };
}

function parseLease(payload: Uint8Array): Lease | undefined {
  try {
    return leaseSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
  } catch {
    return undefined;
  }
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
