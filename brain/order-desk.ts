/**
 * Where operators hand in orders over the bus: request and reply in JSON, one subject for each verb.
 * A reply is `{ok: true, ...}` or `{ok: false, code, message}`; nothing an operator sends is fatal.
 */
import { z } from 'zod';
import type { Bus, Subscription } from '../shared/bus.ts';
import { FerrymanError, messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { defaultObjective } from '../shared/objective.ts';
import { buildSubject } from '../shared/subjects.ts';
import type { Brain } from './service.ts';

export interface DeskOptions {
  readonly bus: Bus;
  readonly brain: Brain;
  readonly log: Log;
  /** For orders that name none. */
  readonly policy: string;
  /** Any but `act` turns every order to migrate down. */
  readonly mode: 'observe' | 'advise' | 'act';
}

const text = z.string().min(1).max(256);
const bytesPerSecond = z.number().positive().max(1e12);

const is = defaultObjective;

/** What is left out is as in `ferryman run`. */
const objective = z.strictObject({
  downtimeLimitMilliseconds: z
    .number()
    .min(10)
    .max(2_000_000)
    .default(is.downtimeLimitMilliseconds),
  maxThrottlePercent: z.number().min(0).max(99).default(is.maxThrottlePercent),
  throttle: z.enum(['auto', 'qemu', 'cgroup']).default(is.throttle),
  ioSensitive: z.boolean().default(is.ioSensitive),
  deadlineMilliseconds: z.number().min(1_000).max(86_400_000).default(is.deadlineMilliseconds),
  postCopy: z.enum(['never', 'last-resort']).default(is.postCopy),
  maxBandwidthBytesPerSecond: bytesPerSecond.exactOptional(),
  linkBandwidthBytesPerSecond: bytesPerSecond.exactOptional(),
});

const vm = z.strictObject({ host: text, selector: text });

const migrateOrder = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
  policy: text.optional(),
  source: vm,
  destination: vm,
  endpoint: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('tcp'), host: text, port: z.int().min(1).max(65_535) }),
    z.strictObject({ kind: z.literal('unix'), path: text }),
  ]),
  objective: objective.prefault({}),
});

const abortOrder = z.strictObject({ id: text, reason: text.default('ordered by the operator') });

type Verb = (order: unknown) => object;

/** Serves `ferryman.v1.op.<verb>` until stopped. */
export function openDesk({ bus, brain, log, ...rules }: DeskOptions): Subscription {
  const verbs: Readonly<Record<string, Verb>> = {
    migrate: (order) => {
      if (rules.mode !== 'act') throw notActing(rules.mode);
      const wanted = migrateOrder.parse(order);
      const policy = wanted.policy ?? rules.policy;
      const id = brain.migrate({ ...wanted, policy });
      log.info({ id, policy, source: wanted.source, destination: wanted.destination }, 'migrating');
      return { id };
    },
    abort: (order) => {
      const { id, reason } = abortOrder.parse(order);
      brain.abort(id, reason);
      log.info({ id, reason }, 'aborting');
      return {};
    },
    list: () => ({
      migrations: brain.migrations().map(({ id, policy, phase, source, result }) => ({
        id,
        policy,
        phase,
        vm: source?.name,
        result,
      })),
    }),
  };
  const counters = Object.entries(verbs).map(([name, verb]) =>
    bus.serve(buildSubject({ channel: 'op', host: name }), (payload) =>
      Promise.resolve(encode(answer(verb, payload))),
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

function notActing(mode: string): FerrymanError {
  const message = `this brain is in mode ${mode} and sends nothing; set "mode: act" to let it migrate`;
  return new FerrymanError('REFUSED', message);
}

function answer(verb: Verb, payload: Uint8Array): object {
  try {
    return { ok: true, ...verb(JSON.parse(new TextDecoder().decode(payload) || '{}')) };
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

function encode(reply: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(reply));
}
