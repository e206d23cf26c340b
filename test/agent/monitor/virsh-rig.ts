/** A `virsh` that answers as a test says; see test/fakes/virsh.mjs. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../fakes/virsh.mjs', import.meta.url));

export type VirshRig = ReturnType<typeof boardVirsh>;

/** `stop` it at the end. */
export function boardVirsh() {
  const folder = mkdtempSync(join(tmpdir(), 'ferryman-virsh-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  /** Nobody reads half of it. */
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  write('events', '');
  return {
    libvirt: { uri: 'qemu:///system', program },
    at: (name: string) => join(folder, name),
    /** From the beginning of a command to its answer. */
    answers: (...pairs: readonly (readonly [string, string])[]) => {
      write('virsh.json', JSON.stringify([...pairs, ['echo ', 'echo']]));
    },
    /** QEMU's events, for who begins to listen. */
    says: (...lines: readonly string[]) => {
      write('events', lines.map((line) => `${line}\n`).join(''));
    },
    /** `virsh migrate` ends; without a complaint all went well. */
    endsMigrate: (complaint = '') => {
      write('migrated', complaint);
    },
    stop: () => {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      rmSync(folder, { recursive: true });
    },
  };
}
