/** What the entries of a journal add up to, and the entries that say the same in fewer lines. Pure. */
import * as z from 'zod';
import type { Arming, Command, OperationKind } from '../../shared/command.ts';
import type { ActuatorMemory } from './actuator.ts';
import type { StreamPosition } from './gate.ts';

/** Ids and VMs of longer ago are forgotten when a journal is compacted. */
const keptIds = 4096;
const keptVms = 1024;

const position = {
  epoch: z.number().int().nonnegative(),
  sequence: z.number().int().nonnegative(),
};
const saved = z.object({
  capabilities: z.record(z.string(), z.boolean()),
  parameters: z.record(z.string(), z.unknown()),
});
const arming = z.custom<Arming>((value) => typeof value === 'object' && value !== null);

const entrySchema = z.discriminatedUnion('entry', [
  z.object({
    entry: z.literal('intent'),
    id: z.string(),
    vm: z.string(),
    ...position,
    kind: z.string(),
    /** The settings as they were, with the first operation that changes any. */
    saved: saved.optional(),
    arming: arming.optional(),
    touchesThrottle: z.literal(true).optional(),
  }),
  z.object({ entry: z.literal('result'), id: z.string(), outcome: z.string() }),
  z.object({ entry: z.literal('epoch'), epoch: position.epoch }),
  z.object({ entry: z.literal('ids'), ids: z.array(z.string()) }),
  z.object({
    entry: z.literal('vm'),
    vm: z.string(),
    ...position,
    highestEpoch: position.epoch,
    postCopy: z.boolean(),
    memory: z
      .object({ saved, armed: arming.optional(), hasTouchedThrottle: z.boolean() })
      .optional(),
  }),
]);
export type Entry = z.infer<typeof entrySchema>;
type Intent = Extract<Entry, { entry: 'intent' }>;

/** All that a journal remembers; VMs by their key, the last heard of at the end. */
export interface JournalMemory {
  highestEpoch: number;
  readonly ids: Set<string>;
  /** Begun and not ended, by id. */
  readonly open: Map<string, Intent>;
  readonly last: Map<string, StreamPosition>;
  readonly postCopy: Set<string>;
  /** What has to be put back. */
  readonly touched: Map<string, ActuatorMemory>;
}

/** Remembers nothing yet. */
export function emptyMemory(): JournalMemory {
  return {
    highestEpoch: 0,
    ids: new Set(),
    open: new Map(),
    last: new Map(),
    postCopy: new Set(),
    touched: new Map(),
  };
}

/** Throws what zod throws for what is no entry. */
export function parseEntry(value: unknown): Entry {
  return entrySchema.parse(value);
}

const settingKinds: readonly OperationKind[] = ['arm', 'tune', 'throttle'];

/** The entry of a command that is about to be applied; `before` are the VM's settings before any. */
export function intentOf(
  vm: string,
  { id, epoch, sequence, operation }: Command,
  before: ActuatorMemory['saved'] | undefined,
  { touched }: JournalMemory,
): Intent {
  const isFirst = settingKinds.includes(operation.kind) && !touched.has(vm);
  const raises =
    (operation.kind === 'tune' && operation.tuning.autoConverge !== undefined) ||
    (operation.kind === 'throttle' && operation.mechanism === 'qemu') ||
    (operation.kind === 'arm' && operation.arming.autoConverge);
  return {
    ...{ entry: 'intent', id, vm, epoch, sequence, kind: operation.kind },
    ...(isFirst && before && { saved: before }),
    ...(operation.kind === 'arm' && { arming: operation.arming }),
    ...(raises && { touchesThrottle: true }),
  };
}

/** Adds what an entry says. */
export function learn(memory: JournalMemory, entry: Entry): void {
  switch (entry.entry) {
    case 'intent':
      learnIntent(memory, entry);
      break;
    case 'result':
      learnResult(memory, entry.id, entry.outcome);
      break;
    case 'epoch':
      memory.highestEpoch = Math.max(memory.highestEpoch, entry.epoch);
      break;
    case 'ids':
      for (const id of entry.ids) memory.ids.add(id);
      break;
    case 'vm':
      memory.highestEpoch = Math.max(memory.highestEpoch, entry.highestEpoch);
      memory.last.set(entry.vm, { epoch: entry.epoch, sequence: entry.sequence });
      if (entry.postCopy) memory.postCopy.add(entry.vm);
      if (entry.memory) memory.touched.set(entry.vm, copyOf(entry.memory));
  }
}

function learnIntent(memory: JournalMemory, entry: Intent): void {
  const { id, vm, epoch, sequence, kind } = entry;
  memory.ids.add(id);
  memory.open.set(id, entry);
  memory.highestEpoch = Math.max(memory.highestEpoch, epoch);
  memory.last.delete(vm);
  memory.last.set(vm, { epoch, sequence });
  // A one-way latch: only the start of another migration opens it again.
  if (kind === 'start-postcopy') memory.postCopy.add(vm);
  if (kind === 'migrate') memory.postCopy.delete(vm);
  if (entry.saved) memory.touched.set(vm, { saved: entry.saved, hasTouchedThrottle: false });
  const touched = memory.touched.get(vm);
  if (touched === undefined) return;
  if (entry.arming) touched.armed = entry.arming;
  touched.hasTouchedThrottle ||= entry.touchesThrottle === true;
}

function learnResult({ open, touched }: JournalMemory, id: string, outcome: string): void {
  const begun = open.get(id);
  open.delete(id);
  if (begun?.kind === 'restore' && outcome === 'applied') touched.delete(begun.vm);
}

/** What is left of a memory for the next years; learning it gives the same answers. */
export function compacted(memory: JournalMemory): readonly Entry[] {
  const { highestEpoch, ids, last, open, postCopy, touched } = memory;
  const vms = [...last].slice(-keptVms).map(([vm, at]): Entry => {
    const known = touched.get(vm);
    const isPostCopy = postCopy.has(vm);
    return {
      ...{ entry: 'vm', vm, ...at, highestEpoch, postCopy: isPostCopy },
      ...(known && { memory: known }),
    };
  });
  // What is under way comes last, as it came: its result is still to be understood.
  return [
    { entry: 'epoch', epoch: highestEpoch },
    { entry: 'ids', ids: [...ids].slice(-keptIds) },
    ...vms,
    ...open.values(),
  ];
}

/** The caller goes on changing its own. */
export function copyOf({
  saved: settings,
  armed,
  hasTouchedThrottle,
}: {
  readonly saved: ActuatorMemory['saved'];
  readonly armed?: Arming | undefined;
  readonly hasTouchedThrottle: boolean;
}): ActuatorMemory {
  return { saved: settings, hasTouchedThrottle, ...(armed && { armed }) };
}
