/**
 * The brain: telemetry in, decisions out. It keeps what is known of the fleet, hands every fresh
 * message to the migrations it concerns, and carries out what the core decides. All judgement is in
 * the core; all waiting and sending is here.
 */
import type { Bus } from '../shared/bus.ts';
import type { Clock } from '../shared/clock.ts';
import { decodeTelemetry } from '../shared/codec.ts';
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { VmFacts } from '../shared/sample.ts';
import { parseSubject } from '../shared/subjects.ts';
import type { Telemetry } from '../shared/telemetry.ts';
import { createCommander } from './migrations/commander.ts';
import type { Migration } from './core/migration.ts';
import type { MigrationPrediction } from './core/prediction.ts';
import { startDestination } from './desk/destination.ts';
import { createFleet } from './fleet.ts';
import type { FollowingOf } from './migrations/following.ts';
import type { Fleet, HostView } from './fleet.ts';
import { createHolds } from './migrations/holds.ts';
import type { Holds } from './migrations/holds.ts';
import { noKeeper } from './leadership/keeper.ts';
import type { Keeper } from './leadership/keeper.ts';
import { createLinkMemory, linkLearner } from './migrations/link-memory.ts';
import type { LinkMemory } from './migrations/link-memory.ts';
import { createTell } from './listeners.ts';
import type { Listener, Tell } from './listeners.ts';
import { createMigrations } from './migrations/migrations.ts';
import type { Migrations } from './migrations/migrations.ts';
import type { MigrationOrder } from './orders.ts';
import { predict } from './migrations/predict.ts';
import type { PredictionOrder } from './migrations/predict.ts';
import { createPulse } from './pulse.ts';
import type { Reduce, Start } from './migrations/runner.ts';
import type { Legacy } from './migrations/take-over.ts';
import { createTimeline } from './timeline.ts';

/** Under this kind agents send what they kept while the bus was away: history, never control. */
const replayKind = 'replay';

export interface BrainOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly reduce: Reduce;
  readonly start: Start;
  /**
   * Grows with every brain that leads; agents refuse commands of a lower one. Of several brains one
   * leads, see leadership.ts: the others ask in vain, listen, and do nothing.
   */
  readonly epoch: number | (() => number | undefined);
  /** What the next brain finds; absent: nothing. */
  readonly keeper?: Keeper;
  readonly listeners?: readonly Listener[];
  /** Its name in the beacon. */
  readonly name?: string;
  /** It came with agents of its own: those of the fleet, if there is one on this bus, do not heed it. */
  readonly isPrivate?: boolean;
  readonly links?: LinkMemory;
  /** Absent: migrations that others start are not followed. */
  readonly following?: FollowingOf;
}

export interface Brain {
  /** Begins to listen, to tick and to send the beacon. */
  start(): void;
  /** Decides nothing any more; resolves once all that was sent is answered. `stop` comes after. */
  retire(): Promise<void>;
  /** Falls silent. Migrations go on at their agents, whose dead-man releases the throttles. */
  stop(): void;
  /** Takes an order and returns the migration's id; throws OrderError and then nothing was sent. */
  migrate(order: MigrationOrder): string;
  /** Probes a VM and says what a migration would come to; changes nothing. Throws OrderError. */
  predict(question: PredictionOrder): Promise<MigrationPrediction>;
  /** Asks for the end of a migration; the core sees to it. Throws OrderError for an unknown id. */
  abort(id: string, reason: string): void;
  /**
   * From now on the VM is not touched; a migration of it that runs goes on untuned. Resolves with
   * whether the next brain will know of it.
   */
  hold(uuid: string, reason: string): Promise<boolean>;
  /** The opposite; returns false when it was not held. */
  release(uuid: string): boolean;
  /** Goes on with what another brain has left, in place of what is in hand. */
  readonly takeOver: (legacy: Legacy) => void;
  /** Has all that the next brain needs kept once more. */
  readonly keep: () => void;
  /** UUIDs of held VMs, each with the reason. */
  held(): ReadonlyMap<string, string>;
  /** Has the host's own command start a QEMU that waits for this VM. Throws OrderError. */
  startDestination(host: string, uuid: string): Promise<VmFacts>;
  /** All that run, and the latest that have settled. */
  migrations(): readonly Migration[];
  hosts(): readonly HostView[];
}

/** Puts the brain together; it does nothing before `start`. */
export function createBrain(options: BrainOptions): Brain {
  const { bus, clock, log, keeper = noKeeper } = options;
  const epoch = typeof options.epoch === 'number' ? always(options.epoch) : options.epoch;
  const timeline = createTimeline(clock);
  const fleet = createFleet(clock, timeline);
  const links = options.links ?? createLinkMemory();
  const tell = createTell([linkLearner(links), ...(options.listeners ?? [])], (error) => {
    log.error({ error: messageOf(error) }, 'a listener failed; control goes on without it');
  });
  const commander = createCommander({
    bus,
    epoch,
    agentMilliseconds: (host) => fleet.agentMilliseconds(host),
  });
  const holds = createHolds();
  const now = () => timeline.now();
  const means = { ...options, fleet, tell, links, holds, keeper, commander, now };
  const migrations = createMigrations(means);
  const pulse = createPulse({ ...options, epoch, migrations }, (subject, payload) => {
    takeIn({ log, fleet, tell, route: pulse.route }, subject, payload);
  });
  return {
    ...pulse,
    retire: () => {
      pulse.stop();
      return commander.retire();
    },
    migrate: (order) => migrations.begin(order),
    predict: (question) => predict(means, question),
    abort: (id, reason) => {
      migrations.abort(id, reason);
    },
    ...holding(holds, keeper, migrations),
    takeOver: (legacy) => {
      holds.adopt(legacy.holds);
      pulse.takeOver(legacy);
    },
    keep: () => {
      for (const [uuid, reason] of holds.all()) void keeper.hold(uuid, reason);
      migrations.keep();
    },
    startDestination: (host, uuid) => startDestination({ fleet, commander }, host, uuid),
    migrations: () => migrations.list(),
    hosts: () => fleet.hosts(),
  };
}

const always = (epoch: number) => () => epoch;

/** A hold is in force at once, known to the migrations under way, and kept for the next brain. */
function holding(
  holds: Holds,
  keeper: Keeper,
  migrations: Migrations,
): Pick<Brain, 'hold' | 'release' | 'held'> {
  return {
    hold: (uuid, reason) => {
      holds.add(uuid, reason);
      migrations.order(uuid, { verb: 'hold', reason });
      return keeper.hold(uuid, reason);
    },
    release: (uuid) => {
      migrations.order(uuid, { verb: 'release' });
      void keeper.release(uuid);
      return holds.remove(uuid);
    },
    held: () => holds.all(),
  };
}

interface Intake {
  readonly log: Log;
  readonly fleet: Fleet;
  readonly tell: Tell;
  readonly route: Migrations['route'];
}

/** One message from the bus. Whatever it holds, nothing is thrown and only its own host is believed. */
function takeIn(intake: Intake, subject: string, payload: Uint8Array): void {
  const spoken = parseSubject(subject);
  const telemetry = decodeOrReport(intake.log, subject, payload);
  if (telemetry === undefined || spoken === undefined) return;
  // A host may speak only for itself (P16): the subject is what the bus let it say.
  if (telemetry.header.host !== spoken.host) {
    intake.log.warn({ subject, claimed: telemetry.header.host }, 'telemetry in a foreign name');
    return;
  }
  if (spoken.kind !== replayKind && !isActedOn(intake, telemetry)) return;
  intake.tell((listener) => listener.onTelemetry?.(telemetry));
}

function decodeOrReport(log: Log, subject: string, payload: Uint8Array): Telemetry | undefined {
  try {
    return decodeTelemetry(payload);
  } catch (error) {
    log.warn({ subject, error: messageOf(error) }, 'telemetry that cannot be read');
    return undefined;
  }
}

function isActedOn({ log, fleet, route }: Intake, telemetry: Telemetry): boolean {
  const { header, body } = telemetry;
  if (body.kind === 'alert') log.warn({ host: header.host, alert: body.message }, 'agent alert');
  const verdict = fleet.accept(telemetry);
  if (verdict.fresh) route(telemetry, verdict.atMilliseconds);
  else log.debug({ host: header.host, why: verdict.why }, 'telemetry set aside');
  return verdict.fresh;
}
