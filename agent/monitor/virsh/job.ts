/** One `virsh migrate`, in a process of its own: it takes as long as the migration. */
import { spawn } from 'node:child_process';
import { virshEnvironment, type LibvirtAddress } from './session.ts';
import { complaintIn } from './transcript.ts';

/** A migration that libvirt was told to make. */
export interface MigrateJob {
  /** What was wrong; undefined when all went well. Resolves when libvirt is done with all of it. */
  readonly ended: Promise<string | undefined>;
  /** Does not wait for it any more; between two libvirts it goes on by itself. */
  leave(): void;
}

/** What virsh says beyond this is not a complaint any more. */
const mostCharacters = 4096;

/** Starts one with these words of `virsh migrate`. */
export function startMigrateJob(
  { uri, program = 'virsh' }: LibvirtAddress,
  words: readonly string[],
): MigrateJob {
  const child = spawn(program, ['-q', '-c', uri, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: virshEnvironment(),
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(0, mostCharacters);
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', ({ message }) => {
      resolve(message);
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(complaintIn(said.split('\n')) ?? `virsh migrate ended with ${code ?? signal}`);
    });
  });
  return { ended, leave: () => child.kill('SIGKILL') };
}
