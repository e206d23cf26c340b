import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Gives `use` a folder that is removed at the end, also when a signal is the end. */
export async function withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ferryman-bench-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  // The rig listens too and has put its guests away by now; what it passes on while we still
  // listen is lost, so the signal is sent on from here.
  const end = (signal: NodeJS.Signals): void => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.once(signal, end);
  try {
    return await use(folder);
  } finally {
    for (const signal of signals) process.off(signal, end);
    remove();
  }
}
