/**
 * Where operators hand in orders over the bus: request and reply in JSON, one subject for each verb.
 * A reply is `{ok: true, ...}` or `{ok: false, code, message}`; nothing an operator sends is fatal.
 */
import * as z from 'zod';
import type { Bus, Subscription } from '../../shared/bus.ts';
import type { InfluxConfig } from '../../shared/config.ts';
import type { Mode, VmRules } from '../../shared/config/vms.ts';
import { FerrymanError, messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { buildSubject } from '../../shared/subjects.ts';
import type { LeadStatus } from '../leadership/chair.ts';
import { createDispatcher } from './dispatch.ts';
import type { Dispatcher } from './dispatch.ts';
import * as orders from './orders.ts';
import { historyStatus } from './status.ts';
import type { BrainStatus } from './status.ts';
import { fleetView, migrationNamed } from './views.ts';
import { runningVm } from './journey.ts';
import type { Brain } from '../service.ts';

export interface DeskOptions {
  readonly bus: Bus;
  readonly brain: Brain;
  readonly log: Log;
  /** The brain's name. */
  readonly name: string;
  /** For orders that name none. */
  readonly policy: string;
  /** Any but `act` turns every order to migrate down. */
  readonly mode: Mode;
  /** What holds for single VMs. */
  readonly rules?: VmRules;
  readonly influx?: InfluxConfig | undefined;
  /** Hosts that should be heard. */
  readonly hosts?: readonly string[];
  /** Absent: this brain is the only one. */
  readonly lead?: () => Promise<LeadStatus>;
  /** While it does not hold, requests are left to the brain that leads; default always. */
  readonly isLeading?: () => boolean;
}

type Verb = (order: unknown) => object | Promise<object>;

/** Serves `ferryman.v1.op.<verb>` until stopped. */
export function openDesk(options: DeskOptions): Subscription {
  const { bus, rules = [], isLeading = () => true } = options;
  const dispatcher = createDispatcher({ ...options, rules });
  const verbs: Readonly<Record<string, Verb>> = {
    ...sendingVerbs(options, dispatcher),
    ...lookingVerbs(options, dispatcher),
  };
  const counters = Object.entries(verbs).map(([name, verb]) =>
    bus.serve(buildSubject({ channel: 'op', host: name }), async (payload) =>
      isLeading() ? encode(await answer(verb, payload)) : undefined,
    ),
  );
  return {
    stop: () => {
      counters.forEach((counter) => {
        counter.stop();
      });
    },
  };
}

/** Verbs after which something happens. */
function sendingVerbs({ brain, log }: DeskOptions, dispatcher: Dispatcher) {
  return {
    migrate: async (order: unknown) => {
      const isPair = typeof order === 'object' && order !== null && 'source' in order;
      const reply = isPair
        ? await dispatcher.pair(orders.pairOrder.parse(order))
        : await dispatcher.wish(orders.wishOrder.parse(order));
      log.info({ ...reply }, 'id' in reply ? 'migrating' : 'would migrate');
      return reply;
    },
    abort: (order: unknown) => {
      const { id: name, reason } = orders.abortOrder.parse(order);
      const { id } = migrationNamed(brain.migrations(), name);
      brain.abort(id, reason);
      log.info({ id, reason }, 'aborting');
      return { id };
    },
    hold: async (order: unknown) => {
      const { vm, reason } = orders.holdOrder.parse(order);
      const { ref, name } = runningVm(brain.hosts(), vm);
      const isKept = await brain.hold(ref.uuid, reason);
      log.info({ vm: ref.uuid, reason, isKept }, 'held');
      return { vm: name, uuid: ref.uuid, reason, isKept };
    },
    release: (order: unknown) => {
      const { vm } = orders.releaseOrder.parse(order);
      // A held VM may be gone by now: its UUID still names the hold.
      const uuid = brain.held().has(vm) ? vm : runningVm(brain.hosts(), vm).ref.uuid;
      const wasHeld = brain.release(uuid);
      log.info({ vm: uuid, wasHeld }, 'released');
      return { uuid, wasHeld };
    },
  } satisfies Record<string, Verb>;
}

/** Verbs that tell. */
function lookingVerbs(options: DeskOptions, dispatcher: Dispatcher) {
  const { brain } = options;
  return {
    list: () => fleetView(brain, (vm) => dispatcher.modeOf(vm)),
    show: (order: unknown) => {
      const { migration } = orders.showOrder.parse(order);
      return { migration: migrationNamed(brain.migrations(), migration) };
    },
    check: (order: unknown) => ({
      findings: dispatcher.check(orders.checkOrder.parse(order)),
    }),
    predict: async (order: unknown) => ({
      prediction: await dispatcher.predict(orders.predictOrder.parse(order)),
    }),
    status: () => statusOf(options, dispatcher),
  } satisfies Record<string, Verb>;
}

async function statusOf(
  { brain, name, mode, policy, influx, lead, hosts: expected = [] }: DeskOptions,
  dispatcher: Dispatcher,
): Promise<{ readonly status: BrainStatus }> {
  const { hosts } = fleetView(brain, (vm) => dispatcher.modeOf(vm));
  const heard = new Set(hosts.map(({ host }) => host));
  const status = {
    ...{ brain: name, mode, policy, hosts },
    version: process.env['FERRYMAN_VERSION'] ?? 'development',
    ...(lead && { lead: await lead() }),
    history: await historyStatus(influx),
    missingHosts: expected.filter((host) => !heard.has(host)),
  };
  return { status };
}

async function answer(verb: Verb, payload: Uint8Array): Promise<object> {
  try {
    const order: unknown = JSON.parse(new TextDecoder().decode(payload) || '{}');
    return { ok: true, ...(await verb(order)) };
  } catch (error) {
    return { ok: false, code: codeOf(error), message: problemOf(error) };
  }
}

function codeOf(error: unknown): string {
  return error instanceof FerrymanError ? error.code : 'BAD_ORDER';
}

function problemOf(error: unknown): string {
  const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
  return issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error);
}

/** What nats-server lets through unless told otherwise, with room for its own words. */
const largestReplyBytes = 1024 * 1024 - 1024;

function encode(reply: object): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(reply));
  if (payload.byteLength <= largestReplyBytes) return payload;
  const message =
    'the answer is too long for one message; "ferryman report" has it from the history';
  return encode({ ok: false, code: 'TOO_LARGE', message });
}
