/**
 * What the agent must not forget when it dies: which commands it has begun, the highest epoch, and
 * for which VMs post-copy was ordered. An intent is on the disk before QEMU hears of it.
 *
 * One line per entry, `<crc32 hex> <json>`: a torn or damaged line is skipped, the others still count.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { Command, CommandOutcome, OperationKind } from '../shared/command.ts';
import { FerrymanError, messageOf } from '../shared/errors.ts';
import type { StreamPosition } from './gate.ts';

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
  /** Returns once the intent is on the disk. Throws JournalError: then the command must not be applied. */
  intent(vm: string, command: Command): Promise<void>;
  /** Throws JournalError; the command has had its effect all the same. */
  result(id: string, outcome: CommandOutcome): Promise<void>;
  close(): Promise<void>;
}

const entrySchema = z.discriminatedUnion('entry', [
  z.object({
    entry: z.literal('intent'),
    id: z.string(),
    vm: z.string(),
    epoch: z.number().int().nonnegative(),
    sequence: z.number().int().nonnegative(),
    kind: z.string(),
  }),
  z.object({ entry: z.literal('result'), id: z.string(), outcome: z.string() }),
]);
type Entry = z.infer<typeof entrySchema>;

/** What the entries add up to. */
interface Memory {
  highestEpoch: number;
  damagedLines: number;
  readonly ids: Set<string>;
  readonly open: Set<string>;
  readonly last: Map<string, StreamPosition>;
  readonly postCopy: Set<string>;
}

/** Opens the journal at `path`, or begins it. Throws JournalError. */
export async function openJournal(path: string): Promise<Journal> {
  try {
    const file = await open(path, 'a+', 0o600);
    const text = await file.readFile('utf8');
    return journalOver(path, file, text);
  } catch (error) {
    throw new JournalError(path, 'cannot be opened', error);
  }
}

function journalOver(path: string, file: FileHandle, text: string): Journal {
  const memory = remember(text);
  const unfinished = [...memory.open];
  const append = appender(path, file, text !== '' && !text.endsWith('\n'));
  return {
    get highestEpoch() {
      return memory.highestEpoch;
    },
    damagedLines: memory.damagedLines,
    unfinished,
    has: (id) => memory.ids.has(id),
    lastOf: (vm) => memory.last.get(vm),
    postCopyRequested: (vm) => memory.postCopy.has(vm),
    async intent(vm, { id, epoch, sequence, operation }) {
      const entry: Entry = { entry: 'intent', id, vm, epoch, sequence, kind: operation.kind };
      await append(entry);
      learn(memory, entry);
    },
    async result(id, outcome) {
      const entry: Entry = { entry: 'result', id, outcome };
      await append(entry);
      learn(memory, entry);
    },
    close: () => file.close(),
  };
}

/** Appends one entry after the other; one that failed half-way is fenced off by a line break. */
function appender(path: string, file: FileHandle, isTorn: boolean) {
  let torn = isTorn;
  let queue: Promise<void> = Promise.resolve();

  const write = async (entry: Entry): Promise<void> => {
    const line = `${torn ? '\n' : ''}${lineOf(entry)}\n`;
    torn = true;
    try {
      await file.appendFile(line);
      await file.datasync();
      torn = false;
    } catch (error) {
      throw new JournalError(path, 'cannot be written', error);
    }
  };
  return (entry: Entry): Promise<void> => {
    const written = queue.then(() => write(entry));
    queue = written.catch(() => undefined);
    return written;
  };
}

function remember(text: string): Memory {
  const memory: Memory = {
    highestEpoch: 0,
    damagedLines: 0,
    ids: new Set(),
    open: new Set(),
    last: new Map(),
    postCopy: new Set(),
  };
  for (const line of text.split('\n').filter(Boolean)) {
    const entry = entryOf(line);
    if (entry === undefined) memory.damagedLines += 1;
    else learn(memory, entry);
  }
  return memory;
}

function learn(memory: Memory, entry: Entry): void {
  if (entry.entry === 'result') {
    memory.open.delete(entry.id);
    return;
  }
  const { id, vm, epoch, sequence } = entry;
  memory.ids.add(id);
  memory.open.add(id);
  memory.highestEpoch = Math.max(memory.highestEpoch, epoch);
  memory.last.set(vm, { epoch, sequence });
  // A one-way latch: only the start of another migration opens it again.
  const kind = entry.kind as OperationKind;
  if (kind === 'start-postcopy') memory.postCopy.add(vm);
  if (kind === 'migrate') memory.postCopy.delete(vm);
}

function lineOf(entry: Entry): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}`;
}

function entryOf(line: string): Entry | undefined {
  const json = line.slice(9);
  if (crc32(json) !== Number.parseInt(line.slice(0, 8), 16)) return undefined;
  try {
    return entrySchema.parse(JSON.parse(json));
  } catch {
    return undefined;
  }
}
