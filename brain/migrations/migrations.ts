/** The migrations in hand: takes orders, routes telemetry to those it concerns, ticks the rest. */
import { randomUUID } from 'node:crypto';
import type { VmFacts } from '../../shared/sample.ts';
import type { Telemetry } from '../../shared/telemetry.ts';
import type { Order } from '../core/input.ts';
import type { Migration } from '../core/migration.ts';
import { followInputs, followedTo, foreignSource, nowLedTo } from './following.ts';
import type { FollowingOf } from './following.ts';
import type { Fleet } from '../fleet.ts';
import { isSettled, takeInHand } from './hand.ts';
import type { Hand } from './hand.ts';
import type { Holds } from './holds.ts';
import type { LinkMemory } from './link-memory.ts';
import { openingInputs } from './opening.ts';
import { OrderError, checkOneVm, heldError, vmsOf } from '../orders.ts';
import type { MigrationOrder } from '../orders.ts';
import { inputsOf, placeOf, reattach, samePlace } from './routing.ts';
import type { Sides } from './routing.ts';
import type { Start } from './runner.ts';
import { takeOver } from './take-over.ts';
import type { Legacy, TakeOverOptions } from './take-over.ts';

/** Settled migrations kept for `list` and `explain`; older ones are in the history. */
const settledKept = 100;

export interface MigrationsOptions extends TakeOverOptions {
  readonly fleet: Fleet;
  readonly links: LinkMemory;
  readonly holds: Holds;
  /** Absent: migrations of others are not followed. */
  readonly following?: FollowingOf;
}

export type HoldOrder = Extract<Order, { verb: 'hold' | 'release' }>;

export interface Migrations {
  begin(order: MigrationOrder): string;
  abort(id: string, reason: string): void;
  /** Tells the migrations of this VM that are under way. */
  order(uuid: string, order: HoldOrder): void;
  route(telemetry: Telemetry, atMilliseconds: number): void;
  /** Lets time pass for each that has heard nothing for so long: an input tells the time as well. */
  tick(quietMilliseconds: number): void;
  /** Nobody has listened for so long. */
  rejoin(silentMilliseconds: number): void;
  /** Has all of them kept once more: what kept them may have lost them. */
  keep(): void;
  /** Forgets what is in hand, and goes on with what was kept. */
  takeOver(legacy: Legacy): void;
  list(): readonly Migration[];
}

/** The register of migrations by id, oldest first. */
export function createMigrations(options: MigrationsOptions): Migrations {
  const { now } = options;
  const hands = new Map<string, Hand>();
  const active = () => [...hands.values()].filter((hand) => !isSettled(hand));
  return {
    begin: (order) => begin(options, hands, active(), order),
    abort: (id, reason) => {
      const hand = hands.get(id);
      if (!hand) throw new OrderError('UNKNOWN_MIGRATION', `no migration ${id} is known here`);
      hand.runner.feed({ kind: 'order', atMilliseconds: now(), order: { verb: 'abort', reason } });
    },
    order: (uuid, order) => {
      for (const { sides, runner } of active()) {
        if (sides.source.ref.uuid !== uuid) continue;
        runner.feed({ kind: 'order', atMilliseconds: now(), order });
      }
    },
    route: (telemetry, atMilliseconds) => {
      follow(options, hands, active(), telemetry, atMilliseconds);
      for (const hand of active()) {
        const { body } = telemetry;
        const destination = nowLedTo(options.fleet, hand.runner.migration(), telemetry);
        if (destination) meet(hand, destination, atMilliseconds);
        if (body.kind === 'attach') hand.sides = reattach(hand.sides, body.facts);
        inputsOf(hand.sides, telemetry, atMilliseconds).forEach(hand.runner.feed);
      }
    },
    tick: (quietMilliseconds) => {
      const atMilliseconds = now();
      for (const { runner } of active()) {
        const heardAtMilliseconds = runner.migration().nowMilliseconds;
        const isQuiet = atMilliseconds - heardAtMilliseconds >= quietMilliseconds;
        if (isQuiet) runner.feed({ kind: 'tick', atMilliseconds });
      }
    },
    ...acrossBrains(options, hands, active),
    list: () => [...hands.values()].map((hand) => hand.runner.migration()),
  };
}

/** What happens to all of them when one brain has to leave off, and another goes on. */
function acrossBrains(
  options: MigrationsOptions,
  hands: Map<string, Hand>,
  active: () => readonly Hand[],
): Pick<Migrations, 'rejoin' | 'keep' | 'takeOver'> {
  return {
    rejoin: (silentMilliseconds) => {
      const atMilliseconds = options.now();
      for (const { runner } of active()) {
        runner.feed({ kind: 'rejoin', atMilliseconds, silentMilliseconds });
      }
    },
    keep: () => {
      for (const { runner, sides } of hands.values()) {
        options.keeper.migration({ migration: runner.migration(), sides });
      }
    },
    takeOver: (legacy) => {
      for (const { runner } of hands.values()) runner.stop();
      hands.clear();
      for (const [id, hand] of takeOver(options, legacy)) hands.set(id, hand);
    },
  };
}

/** Throws OrderError; nothing was sent then. */
function begin(
  options: MigrationsOptions,
  hands: Map<string, Hand>,
  active: readonly Hand[],
  order: MigrationOrder,
): string {
  const { fleet, now, holds } = options;
  const id = order.id ?? randomUUID().slice(0, 8);
  if (hands.has(id)) throw new OrderError('ID_TAKEN', `migration ${id} exists already`);
  const vms = vmsOf(fleet, order);
  const sides = { source: placeOf(vms.source), destination: placeOf(vms.destination) };
  checkOneVm(vms, sides);
  checkFree(sides, active);
  checkNotHeld(holds, vms.source);
  const atMilliseconds = now();
  const migration = startOrRefuse(options.start, { id, policy: order.policy, atMilliseconds });
  const hand = takeInHand(options, migration, sides);
  hands.set(id, hand);
  dropOldest(options, hands);
  openingInputs({ ...options, order, vms, atMilliseconds }).forEach(hand.runner.feed);
  return id;
}

/** Takes a migration in hand that somebody else has started, unless it is already. */
function follow(
  options: MigrationsOptions,
  hands: Map<string, Hand>,
  active: readonly Hand[],
  telemetry: Telemetry,
  atMilliseconds: number,
): void {
  const { fleet, holds, start, log } = options;
  const vm = foreignSource(fleet, telemetry);
  const following = vm && options.following?.(vm);
  if (!following) return;
  const source = placeOf(vm);
  if (active.some(({ sides }) => samePlace(sides.source, source))) return;
  const id = randomUUID().slice(0, 8);
  const migration = start({ id, policy: following.policy, atMilliseconds });
  const destination = followedTo(fleet, vm);
  const sides = { source, ...(destination && { destination: placeOf(destination) }) };
  const hand = takeInHand(options, migration, sides);
  hands.set(id, hand);
  dropOldest(options, hands);
  log.info({ id, vm: vm.ref.uuid, mode: following.mode }, 'following a migration of somebody else');
  followInputs(vm, following, options, atMilliseconds).forEach(hand.runner.feed);
  const reason = holds.reasonOf(vm.ref.uuid);
  if (reason !== undefined) {
    hand.runner.feed({ kind: 'order', atMilliseconds, order: { verb: 'hold', reason } });
  }
}

/** It is known now where a migration of somebody else leads. */
function meet(hand: Hand, destination: VmFacts, atMilliseconds: number): void {
  hand.sides = { ...hand.sides, destination: placeOf(destination) };
  hand.runner.feed({ kind: 'attach', atMilliseconds, side: 'destination', facts: destination });
}

/** The core knows its policies; a name it does not know is the operator's mistake. */
function startOrRefuse(start: Start, begin: Parameters<Start>[0]): Migration {
  try {
    return start(begin);
  } catch (error) {
    if (error instanceof RangeError) throw new OrderError('UNKNOWN_POLICY', error.message);
    throw error;
  }
}

/** One active plan per VM (P12). */
function checkFree({ source, destination }: Sides, active: readonly Hand[]): void {
  for (const { sides, runner } of active) {
    const taken = [sides.source, sides.destination].find(
      (place) => place && [source, destination].some((each) => each && samePlace(place, each)),
    );
    if (!taken) continue;
    const place = `the VM at ${taken.monitor} on ${taken.host}`;
    throw new OrderError('VM_BUSY', `${place} is in migration ${runner.migration().id} already`);
  }
}

function checkNotHeld(holds: Holds, vm: VmFacts): void {
  const reason = holds.reasonOf(vm.ref.uuid);
  if (reason !== undefined) throw heldError(vm, reason);
}

function dropOldest({ keeper }: MigrationsOptions, hands: Map<string, Hand>): void {
  const settled = [...hands].filter(([, hand]) => isSettled(hand));
  for (const [id] of settled.slice(0, -settledKept)) {
    hands.delete(id);
    keeper.forget(id);
  }
}
