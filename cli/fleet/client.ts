/** Asks the brain of a fleet: one request and one reply for each question, see brain/desk/order-desk.ts. */
import type { MigrationPrediction } from '../../brain/core/prediction.ts';
import type { Bus } from '../../shared/bus.ts';
import { BusError, FerrymanError } from '../../shared/errors.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import { buildSubject } from '../../shared/subjects.ts';
import { printable } from '../terminal/style.ts';
import { natsOf, type FleetFlags } from './address.ts';

/** A brain, as far as operators can ask it. */
export interface FleetClient {
  /** Where the question goes, for messages. */
  readonly url: string;
  /** Throws DeskError when the brain says no, BusError when none answers. */
  ask<Reply extends object>(verb: string, order?: object): Promise<Reply>;
}

/** The brain turned an order down; `code` is its word for why. */
export class DeskError extends FerrymanError {
  /** What it would have done, in mode advise. */
  readonly advice: MigrationPrediction | undefined;

  constructor(code: string, message: string, advice?: MigrationPrediction) {
    // Names of VMs stand in it, which hold whatever their owners like.
    super(code, printable(message));
    this.advice = advice;
  }
}

/** A destination may have to be started, and a guest be looked at, before there is an answer. */
const patienceMilliseconds = 60_000;

/** Connects, lets `use` ask, and leaves. Throws what it throws, ConfigError and BusError. */
export async function withFleet<T>(
  flags: FleetFlags,
  use: (fleet: FleetClient) => Promise<T>,
): Promise<T> {
  const nats = natsOf(flags, process.env);
  const bus = await natsBus({ ...nats, name: 'ferryman-operator' });
  try {
    return await use(fleetClient(bus, nats.url));
  } finally {
    await bus.close();
  }
}

type Answer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly advice?: MigrationPrediction;
    };

/** The client over a bus that is there. */
export function fleetClient(bus: Bus, url: string): FleetClient {
  return {
    url,
    ask: async <Reply extends object>(verb: string, order: object = {}) => {
      const answer = await request(bus, url, verb, order);
      if (!answer.ok) throw new DeskError(answer.code, answer.message, answer.advice);
      return answer as unknown as Reply;
    },
  };
}

async function request(bus: Bus, url: string, verb: string, order: object): Promise<Answer> {
  const payload = new TextEncoder().encode(JSON.stringify(order));
  const subject = buildSubject({ channel: 'op', host: verb });
  try {
    const reply = await bus.request(subject, payload, patienceMilliseconds);
    return JSON.parse(new TextDecoder().decode(reply)) as Answer;
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== 'NO_RESPONDERS') throw error;
    const remedy = 'start one with "ferryman brain --config FILE"';
    throw new BusError('NO_RESPONDERS', `no brain answers at ${url}: ${remedy}`, { cause: error });
  }
}
