/** What libvirt tells unasked of all domains, each kind through a `virsh` that does nothing else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { virshEnvironment, type LibvirtAddress } from './session.ts';
import { jobReader, parseEvent, type EventLine, type EndedJob } from './transcript.ts';

/** libvirtd may be away for an upgrade; until it is back samples go on to come once a second. */
const againMilliseconds = 1000;

/** It reads nothing, and so would not notice that this process has ended: a shell does for it. */
const script = '"$0" "$@" & exec >&-; cat >/dev/null; kill -9 $!';

interface Listening {
  stop(): void;
}

/** QEMU's events. Listens until stopped, and again after every loss. */
export function hearEvents(
  address: LibvirtAddress,
  onEvent: (event: EventLine) => void,
): Listening {
  return listen(address, ['qemu-monitor-event', '--loop'], (line) => {
    const event = parseEvent(line);
    if (event !== undefined) onEvent(event);
  });
}

/** libvirt's migrations that are over, in the same way. */
export function hearEndedJobs(
  address: LibvirtAddress,
  onEnded: (job: EndedJob) => void,
): Listening {
  return listen(address, ['event', '--event', 'job-completed', '--loop'], jobReader(onEnded));
}

function listen(
  { uri, program = 'virsh' }: LibvirtAddress,
  words: readonly string[],
  onLine: (line: string) => void,
): Listening {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const begin = (): void => {
    const listener = spawn('/bin/sh', ['-c', script, program, '-q', '-c', uri, ...words], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: virshEnvironment(),
    });
    child = listener;
    listener.on('error', () => undefined);
    listener.stdin.on('error', () => undefined);
    createInterface({ input: listener.stdout })
      .on('line', (line) => {
        if (!isStopped) onLine(line);
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
