/**
 * A quota must not outlive the agent that set it, and one that is killed cannot take it back. So the
 * groups are told to a small shell which waits for the end of this process, whatever ends it, and
 * then dissolves those that are still there. It outlives its parent: a session of its own.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { GroupLayout } from './groups.ts';

/** One path per line comes in; at the end of them every thread found goes to the group's parent. */
const script = `
while IFS= read -r group; do set -- "$@" "$group"; done
for group; do
  for thread in $(cat "$group/$THREADS_FILE"); do echo "$thread" >"$group/../$THREADS_FILE"; done
  rmdir "$group"
done
`;

const keepers = new Map<string, Writable>();
const guarded = new Set<string>();

/** Sees to it that this group is dissolved when this process ends; each is told once. */
export function guardGroup(layout: GroupLayout, group: string): void {
  if (guarded.has(group)) return;
  guarded.add(group);
  const keeper = keepers.get(layout.threadsFile) ?? startKeeper(layout.threadsFile);
  keepers.set(layout.threadsFile, keeper);
  keeper.write(`${group}\n`);
}

/** Ends with its input, and then does its work. Where there is no shell, the next start sweeps. */
export function startKeeper(threadsFile: string): Writable {
  const shell = spawn('/bin/sh', ['-c', script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: process.env['PATH'], THREADS_FILE: threadsFile },
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // A pipe is a socket here, and an idle one must not keep this process from ending.
  (shell.stdin as Socket).unref();
  return shell.stdin;
}
