/** The file of a journal: lines with a checksum, appended to the disk, and replaced when it has grown. */
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/** An open file; one call at a time. */
export class JournalFile {
  readonly #path: string;
  readonly #compactAfterBytes: number;
  #file: FileHandle;
  /** The last line may be half a line: the next one is fenced off by a line break. */
  #isTorn: boolean;
  #bytes: number;
  #compactAtBytes: number;

  constructor(path: string, file: FileHandle, text: string, compactAfterBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#compactAfterBytes = compactAfterBytes;
    this.#isTorn = text !== '' && !text.endsWith('\n');
    this.#bytes = Buffer.byteLength(text);
    this.#compactAtBytes = compactAfterBytes;
  }

  /** Returns once it is on the disk. Throws what the file system throws. */
  async append(value: unknown): Promise<void> {
    const line = `${this.#isTorn ? '\n' : ''}${lineOf(value)}`;
    this.#isTorn = true;
    await this.#file.appendFile(line);
    await this.#file.datasync();
    this.#isTorn = false;
    this.#bytes += Buffer.byteLength(line);
  }

  /**
   * Once it has grown by as much as it may, these values take the place of all lines: written beside,
   * synced and renamed, so that a crash leaves the old file or the new one. When that fails the old
   * one goes on, and is tried again when it has grown further.
   */
  async compactIfGrown(values: () => readonly unknown[]): Promise<void> {
    if (this.#bytes < this.#compactAtBytes) return;
    const text = values().map(lineOf).join('');
    try {
      const old = this.#file;
      this.#file = await writeBeside(this.#path, text);
      this.#isTorn = false;
      this.#bytes = Buffer.byteLength(text);
      await old.close();
    } catch {
      // No space, most likely; the journal as it is says all that is needed.
    }
    this.#compactAtBytes = this.#bytes + this.#compactAfterBytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function writeBeside(path: string, text: string): Promise<FileHandle> {
  const beside = `${path}.new`;
  const fresh = await open(beside, 'w', 0o600);
  try {
    await fresh.appendFile(text);
    await fresh.datasync();
    await rename(beside, path);
  } catch (error) {
    await fresh.close();
    throw error;
  }
  await syncDirectory(dirname(path));
  return fresh;
}

/**
 * Or a crash could bring the old file back, without what was appended to the new one. From the
 * renaming on there is no way back, so a file system that cannot do it is taken as it is.
 */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

function lineOf(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** What the undamaged lines hold, and how many are not. */
export function parseLines<T>(
  text: string,
  parse: (value: unknown) => T,
): { readonly values: readonly T[]; readonly damagedLines: number } {
  const lines = text.split('\n').filter(Boolean);
  const values = lines.flatMap((line) => valueOf(line, parse));
  return { values, damagedLines: lines.length - values.length };
}

function valueOf<T>(line: string, parse: (value: unknown) => T): T[] {
  const json = line.slice(9);
  if (crc32(json) !== Number.parseInt(line.slice(0, 8), 16)) return [];
  try {
    return [parse(JSON.parse(json))];
  } catch {
    return [];
  }
}
