/** Processes of a bench: started, measured, and never left behind. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whoever is still here when the bench ends, however it ends. */
const unfinished = new Set<() => void>();

function endAll(): void {
  for (const end of unfinished) end();
}
process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endAll);

/** Has `end` called at the end of the bench, unless the result of this is called before, which calls it. */
export function atEnd(end: () => void): () => void {
  const endOnce = (): void => {
    if (unfinished.delete(endOnce)) end();
  };
  unfinished.add(endOnce);
  return endOnce;
}

export interface Started {
  readonly pid: number;
  /** What it said on standard error so far. */
  messages(): string;
  stop(): void;
}

/** Starts a program that runs until it is stopped. Throws when there is no such program. */
export function startProcess(
  [program = '', ...words]: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Started {
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  child.on('error', () => undefined);
  if (child.pid === undefined) throw new Error(`${program} cannot be started`);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return { pid: child.pid, messages: () => said, stop: atEnd(() => child.kill('SIGKILL')) };
}

/** Memory that it holds; 0 of a process that has ended. */
export function residentMebibytes(pid: number): number {
  return mebibytesIn(pid, 'VmRSS');
}

/** The most that it ever held. */
export function peakMebibytes(pid: number): number {
  return mebibytesIn(pid, 'VmHWM');
}

function mebibytesIn(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
