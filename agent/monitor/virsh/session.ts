/** One `virsh` that lives as long as the agent, and takes one command after the other. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { ConnectionLostError, TimeoutError } from '../qmp/errors.ts';
import { answerIn, quoted } from './transcript.ts';

/** How libvirt is reached. */
export interface LibvirtAddress {
  /** As for `virsh -c`, e.g. `qemu:///system`. */
  readonly uri: string;
  /** `virsh` unless it lies elsewhere. */
  readonly program?: string;
}

export interface VirshSession {
  readonly address: LibvirtAddress;
  /**
   * The lines that virsh answered with, its complaints among them (see `complaintIn`). Throws
   * TimeoutError, ConnectionLostError.
   */
  run(words: readonly string[], timeoutMilliseconds?: number): Promise<string[]>;
  close(): void;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

const usualTimeoutMilliseconds = 2000;
/** The schema of a QEMU is 200 KiB; nothing comes near this. */
const mostCharacters = 16 * 2 ** 20;

/** A session that begins with its first command, and again after every loss. */
export function openVirsh(address: LibvirtAddress): VirshSession {
  return new Session(address);
}

class Session implements VirshSession {
  readonly address: LibvirtAddress;
  #child: Child | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #count = 0;
  #isClosed = false;

  constructor(address: LibvirtAddress) {
    this.address = address;
  }

  get #uri(): string {
    return this.address.uri;
  }

  run(words: readonly string[], timeoutMilliseconds = usualTimeoutMilliseconds): Promise<string[]> {
    const answered = this.#turn.then(() => this.#ask(words, timeoutMilliseconds));
    this.#turn = answered.catch(() => undefined);
    return answered;
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #ask(words: readonly string[], timeoutMilliseconds: number): Promise<string[]> {
    if (this.#isClosed) {
      return Promise.reject(new ConnectionLostError(this.#uri, 'closed by ferryman'));
    }
    this.#child ??= start(this.address);
    const child = this.#child;
    const [name = ''] = words;
    const command = commandOf(words);
    const mark = `ferryman-${String(++this.#count)}`;
    return new Promise((resolve, reject) => {
      let written = '';
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        child.stdout.off('data', onData);
        child.off('close', onClose);
        finish();
      };
      const fail = (error: Error): void => {
        settle(() => {
          this.#end();
          reject(error);
        });
      };
      const onData = (chunk: string): void => {
        written += chunk;
        const lines = written.includes(mark) ? answerIn(written, command, mark) : undefined;
        if (lines !== undefined) {
          settle(() => {
            resolve(lines);
          });
        } else if (written.length > mostCharacters) {
          fail(new ConnectionLostError(this.#uri, `virsh ${name} does not stop talking`));
        }
      };
      const onClose = (): void => {
        const words = written.trim().split('\n').at(-1);
        fail(new ConnectionLostError(this.#uri, `virsh has ended: ${words ?? 'without a word'}`));
      };
      const timer = setTimeout(() => {
        fail(new TimeoutError(this.#uri, `virsh ${name}`, timeoutMilliseconds));
      }, timeoutMilliseconds);
      child.stdout.on('data', onData);
      child.once('close', onClose);
      child.stdin.write(`${command}\necho ${mark}\n`);
    });
  }

  /** A virsh that did not answer would answer the next command with the last one's reply. */
  #end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

function commandOf([name = '', ...values]: readonly string[]): string {
  return [name, ...values.map(quoted)].join(' ');
}

/** No language but its own, and no terminal to draw on. */
export function virshEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TMPDIR } = process.env;
  return { PATH, TMPDIR, LC_ALL: 'C', TERM: 'dumb' };
}

/** Complaints come on the same pipe, so that they stand where they belong. */
function start({ uri, program = 'virsh' }: LibvirtAddress): Child {
  const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', program, '-q', '-c', uri], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: virshEnvironment(),
  });
  child.stdout.setEncoding('utf8');
  child.stdin.on('error', () => undefined);
  child.on('error', () => undefined);
  return child;
}
