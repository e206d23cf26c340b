/**
 * What the agent must not forget when it dies: which commands it has begun, the highest epoch, for
 * which VMs post-copy was ordered, and what it has to put back. An intent is on the disk before QEMU
 * hears of it.
 *
 * One line per entry, `<crc32 hex> <json>`: a torn or damaged line is skipped, the others still count.
 * A journal that has grown is replaced by a short one that says the same.
 */
import { open } from 'node:fs/promises';
import type { Command, CommandOutcome } from '../../shared/command.ts';
import { FerrymanError, messageOf } from '../../shared/errors.ts';
import type { ActuatorMemory } from './actuator.ts';
import type { StreamPosition } from './gate.ts';
import { JournalFile, parseLines } from './journal-file.ts';
import { compacted, copyOf, emptyMemory, intentOf } from './journal-memory.ts';
import { learn, parseEntry, type Entry } from './journal-memory.ts';
import type { QemuSettings } from '../qemu/options.ts';

/** The journal cannot be read or written. A command without a written intent is not applied. */
export class JournalError extends FerrymanError {
  constructor(path: string, problem: string, cause: unknown) {
    const remedy = 'free some space or correct the permissions; no command is applied until then';
    super('JOURNAL', `journal ${path} ${problem}: ${messageOf(cause)}; ${remedy}`, { cause });
  }
}

export interface Journal {
  readonly highestEpoch: number;
  /** Lines that were damaged when the journal was opened. */
  readonly damagedLines: number;
  /** Commands begun in an earlier life whose end is not on record: their effect must be re-read. */
  readonly unfinished: readonly string[];
  has(id: string): boolean;
  /** Where the stream of commands for this VM stands. */
  lastOf(vm: string): StreamPosition | undefined;
  /** True when the latest start or post-copy order for this VM was the post-copy order. */
  postCopyRequested(vm: string): boolean;
  /** What has to be put back; undefined for a VM that nothing was done to since it was restored. */
  touched(vm: string): ActuatorMemory | undefined;
  /**
   * Returns once the intent is on the disk, with `before`, the VM's settings before ferryman changed
   * any, if this is the first command that does. Throws JournalError: then it must not be applied.
   */
  intent(vm: string, command: Command, before?: QemuSettings): Promise<void>;
  /** A brain of this epoch leads: from now on no command of an earlier one counts. Throws JournalError. */
  hear(epoch: number): Promise<void>;
  /** Throws JournalError; the command has had its effect all the same. */
  result(id: string, outcome: CommandOutcome): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions {
  /** A journal that grew by as much is compacted. */
  readonly compactAfterBytes?: number;
}

const defaultCompactAfterBytes = 1 << 20;

/** Opens the journal at `path`, or begins it. Throws JournalError. */
export async function openJournal(path: string, options: JournalOptions = {}): Promise<Journal> {
  const { compactAfterBytes = defaultCompactAfterBytes } = options;
  try {
    const handle = await open(path, 'a+', 0o600);
    const text = await handle.readFile('utf8');
    return journalOver(path, new JournalFile(path, handle, text, compactAfterBytes), text);
  } catch (error) {
    throw new JournalError(path, 'cannot be opened', error);
  }
}

function journalOver(path: string, file: JournalFile, text: string): Journal {
  const { values, damagedLines } = parseLines(text, parseEntry);
  const memory = emptyMemory();
  for (const entry of values) learn(memory, entry);
  const unfinished = [...memory.open.keys()];
  memory.open.clear();

  const add = inTurn(async (entryOf: () => Entry): Promise<void> => {
    const entry = entryOf();
    await file.append(entry).catch((error: unknown) => {
      throw new JournalError(path, 'cannot be written', error);
    });
    learn(memory, entry);
    await file.compactIfGrown(() => compacted(memory));
  });
  return {
    get highestEpoch() {
      return memory.highestEpoch;
    },
    damagedLines,
    unfinished,
    has: (id) => memory.ids.has(id),
    lastOf: (vm) => memory.last.get(vm),
    postCopyRequested: (vm) => memory.postCopy.has(vm),
    touched(vm) {
      const known = memory.touched.get(vm);
      return known && copyOf(known);
    },
    intent: (vm, command, before) => add(() => intentOf(vm, command, before, memory)),
    hear: (epoch) => {
      const entry = { entry: 'epoch', epoch } as const;
      // It counts from now on, not only once it is written.
      learn(memory, entry);
      return add(() => entry);
    },
    result: (id, outcome) => add(() => ({ entry: 'result', id, outcome })),
    close: () => file.close(),
  };
}

/** One after the other; one that failed does not hold up the next. */
function inTurn<T>(work: (given: T) => Promise<void>): (given: T) => Promise<void> {
  let queue = Promise.resolve();
  return (given) => {
    const done = queue.then(() => work(given));
    queue = done.catch(() => undefined);
    return done;
  };
}
