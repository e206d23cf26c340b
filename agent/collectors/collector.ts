/**
 * The contract of host collectors. A collector reads one source of the kernel, named as the kernel
 * names it; reading and parsing are separate functions, so that tests feed text to the parser.
 * A collector runs no command, needs no privilege and takes well under a millisecond.
 */
import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../../shared/clock.ts';
import type { HostSample } from '../../shared/sample.ts';

/** Where the kernel's files are and what time it is; tests point the roots at fixtures. */
export interface HostSource {
  readonly procRoot: string;
  readonly sysRoot: string;
  readonly clock: Clock;
}

export const systemSource: HostSource = { procRoot: '/proc', sysRoot: '/sys', clock: systemClock };

export interface HostCollector {
  readonly name: string;
  /**
   * Its part of the host sample; rates are over the time since the call before (since creation for
   * the first). Undefined when this host has no such source; throws when the source is broken.
   */
  collect(): Partial<HostSample> | undefined;
}

export type CreateHostCollector = (source: HostSource) => HostCollector;

/** One way to observe a host, whatever is behind it. */
export interface HostProbe {
  readonly name: string;
  /** Throws when processors or memory cannot be read. */
  collectHost(): Promise<HostSample>;
}

/** The text of a kernel file, undefined when this kernel does not have it. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // EOPNOTSUPP: PSI is compiled in but switched off. EINVAL: a NIC that has no speed.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'EOPNOTSUPP', 'EINVAL'].includes(code)) return undefined;
    throw error;
  }
}

/** Like readKernelFile, for files without which there is nothing to say. */
export function readRequiredKernelFile(path: string): string {
  const text = readKernelFile(path);
  if (text === undefined) throw new Error(`${path} does not exist: is /proc mounted?`);
  return text;
}
