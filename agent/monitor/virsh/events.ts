/** QEMU's events of all domains, through a second `virsh` that does nothing else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { virshEnvironment, type LibvirtAddress } from './session.ts';
import { parseEvent, type EventLine } from './transcript.ts';

/** libvirtd may be away for an upgrade; until it is back samples go on to come once a second. */
const againMilliseconds = 1000;

/** It reads nothing, and so would not notice that this process has ended: a shell does for it. */
const script = '"$0" "$@" & exec >&-; cat >/dev/null; kill -9 $!';

/** Listens until stopped, and again after every loss. */
export function hearEvents(
  { uri, program = 'virsh' }: LibvirtAddress,
  onEvent: (event: EventLine) => void,
): { stop: () => void } {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const begin = (): void => {
    const words = [program, '-q', '-c', uri, 'qemu-monitor-event', '--loop'];
    const listener = spawn('/bin/sh', ['-c', script, ...words], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: virshEnvironment(),
    });
    child = listener;
    listener.on('error', () => undefined);
    listener.stdin.on('error', () => undefined);
    createInterface({ input: listener.stdout })
      .on('line', (line) => {
        const event = parseEvent(line);
        if (event !== undefined && !isStopped) onEvent(event);
      })
      .once('close', () => {
        listener.stdin.end();
        if (!isStopped) timer = setTimeout(begin, againMilliseconds);
      });
  };
  begin();
  return {
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      child?.stdin?.end();
    },
  };
}
