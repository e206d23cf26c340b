/**
 * This brain among others: it stands for election where nats-server can keep a lease, and leads at
 * once and alone where it cannot. Whoever begins to lead first reads what was kept.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../../shared/bus.ts';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { StateStore } from '../../shared/state-store.ts';
import { createKeeper, noKeeper, readKept } from './keeper.ts';
import type { Keeper } from './keeper.ts';
import type { HostView } from '../fleet.ts';
import { Leadership, standbysOf } from './leadership.ts';
import type { Term } from './leadership.ts';
import type { Legacy } from '../migrations/take-over.ts';

export interface ChairOptions {
  readonly bus: Pick<Bus, 'publish'>;
  /** Absent: the server keeps nothing. */
  readonly store: StateStore | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly brain: string;
}

/** What is done when the lead comes and goes. */
export interface Holder {
  readonly takeOver: (legacy: Legacy) => void;
  readonly keep: () => void;
  /** Of all agents; each tells the greatest epoch that it has heard. */
  readonly hosts: () => readonly Pick<HostView, 'facts'>[];
  /** Told of every change. */
  readonly onLead: (leads: boolean) => void;
}

/** Who leads, for `doctor`. */
export interface LeadStatus {
  readonly isElected: boolean;
  readonly epoch: number;
  /** Brains that would take over. */
  readonly standbys: readonly string[];
}

export interface Chair {
  readonly keeper: Keeper;
  /** That in which this brain leads at this very moment. */
  readonly epoch: () => number | undefined;
  readonly status: () => Promise<LeadStatus>;
  /** Behind whom this brain stands, when that is known; undefined while it leads. */
  readonly standby: () => { readonly leader?: string } | undefined;
  start(holder: Holder): void;
  /** Gives the lead back. */
  stop(): Promise<void>;
}

const retryMilliseconds = 100;

/** Nothing happens before `start`. */
export function createChair(options: ChairOptions): Chair {
  const { store, log } = options;
  if (store !== undefined) return new ElectedChair(options, store);
  const loss =
    'a second brain must not be started, and what is held or under way is forgotten with this one';
  log.warn({}, `nats-server runs without JetStream: ${loss}`);
  return soleChair(options);
}

function soleChair({ clock }: ChairOptions): Chair {
  // Greater than that of any brain before; agents keep the greatest they have seen.
  const epoch = clock.wallMilliseconds();
  return {
    keeper: noKeeper,
    epoch: () => epoch,
    status: () => Promise.resolve({ isElected: false, epoch, standbys: [] }),
    standby: () => undefined,
    start: ({ onLead }) => {
      onLead(true);
    },
    stop: () => Promise.resolve(),
  };
}

/** Leads from the moment at which it knows what was kept. */
class ElectedChair implements Chair {
  readonly keeper: Keeper;
  readonly #log: Log;
  readonly #store: StateStore;
  readonly #leadership: Leadership;
  #holder: Holder | undefined;
  /** The term whose legacy has been read. */
  #readyEpoch: number | undefined;
  #saidLeads = false;

  constructor(options: ChairOptions, store: StateStore) {
    const { log } = options;
    this.#log = log;
    this.#store = store;
    this.keeper = guarded(createKeeper({ ...options, store }), () => this.epoch() !== undefined);
    this.#leadership = new Leadership({
      ...{ ...options, store, life: randomUUID() },
      heardEpoch: () => this.#heardEpoch(),
      onTerm: (term) => void this.#begin(term),
      onStep: () => {
        this.#say();
      },
    });
  }

  readonly epoch = (): number | undefined => {
    const epoch = this.#leadership.epoch();
    return epoch === this.#readyEpoch ? epoch : undefined;
  };

  readonly status = async (): Promise<LeadStatus> => {
    const standbys = await standbysOf(this.#store).catch(() => []);
    return { isElected: true, epoch: this.epoch() ?? 0, standbys };
  };

  readonly standby = (): { readonly leader?: string } | undefined => {
    if (this.epoch() !== undefined) return undefined;
    const leader = this.#leadership.leader();
    return leader === undefined ? {} : { leader };
  };

  start(holder: Holder): void {
    this.#holder = holder;
    this.#leadership.start();
  }

  async stop(): Promise<void> {
    await this.#leadership.stop();
    await this.#store.close();
  }

  async #begin(term: Term): Promise<void> {
    const legacy = term.isContinued ? undefined : await this.#read(term);
    if (this.#leadership.epoch() !== term.epoch) return;
    this.#readyEpoch = term.epoch;
    if (legacy) this.#holder?.takeOver(legacy);
    // A server that was away may have come back without its disk.
    else this.#holder?.keep();
    this.#say();
  }

  async #read(term: Term): Promise<Legacy | undefined> {
    while (this.#leadership.epoch() === term.epoch) {
      try {
        return {
          ...(await readKept(this.#store, this.#log)),
          nowByServerMilliseconds: term.takenAtMilliseconds,
          silentMilliseconds: term.takenAtMilliseconds - term.vacantSinceMilliseconds,
        };
      } catch (error) {
        this.#log.warn({ error: messageOf(error) }, 'what was kept cannot be read');
        await sleep(retryMilliseconds);
      }
    }
    return undefined;
  }

  #heardEpoch(): number {
    const hosts = this.#holder?.hosts() ?? [];
    return Math.max(0, ...hosts.map(({ facts }) => facts?.highestEpoch ?? 0));
  }

  #say(): void {
    const leads = this.epoch() !== undefined;
    if (leads === this.#saidLeads) return;
    this.#log.info({ leads }, leads ? 'orders are taken here' : 'no orders are taken here');
    this.#holder?.onLead(leads);
    this.#saidLeads = leads;
  }
}

/** Who was deposed must not write over what his successor keeps. */
function guarded(keeper: Keeper, leads: () => boolean): Keeper {
  return {
    migration: (kept) => {
      if (leads()) keeper.migration(kept);
    },
    forget: (id) => {
      if (leads()) keeper.forget(id);
    },
    hold: async (uuid, reason) => leads() && keeper.hold(uuid, reason),
    release: async (uuid) => leads() && keeper.release(uuid),
  };
}
