import type { Socket } from 'node:net';
import type { Monitor, MonitorEvent } from '../monitor.ts';
import {
  BadReplyError,
  ConnectionLostError,
  ExecuteError,
  GreetingError,
  NegotiationError,
  TimeoutError,
} from './errors.ts';
import { defaultMaxLineBytes, LineDecoder } from './framing.ts';
import { parseMessage, type QmpMessage } from './types.ts';

export interface QmpLimits {
  readonly greetingTimeoutMilliseconds: number;
  readonly commandTimeoutMilliseconds: number;
  readonly maxLineBytes: number;
  /** QEMU sends a handful; more than this is a fault that would only burn CPU here. */
  readonly maxEventsPerSecond: number;
  /** A QEMU that leaves this many commands unanswered hangs: the connection is given up. */
  readonly maxUnanswered: number;
}

export const defaultQmpLimits: QmpLimits = {
  greetingTimeoutMilliseconds: 2000,
  commandTimeoutMilliseconds: 2000,
  maxLineBytes: defaultMaxLineBytes,
  maxEventsPerSecond: 2000,
  maxUnanswered: 8,
};

/** These act even while QEMU's main loop is stuck, which is when they are needed (qapi: allow-oob). */
const outOfBandCommands: ReadonlySet<string> = new Set(['migrate-pause', 'migrate-recover']);

interface Waiter {
  readonly command: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
}

/** One QMP conversation over a connected stream. It ends for good at the first breach of protocol. */
export class QmpClient implements Monitor {
  readonly address: string;
  readonly #socket: Socket;
  readonly #limits: QmpLimits;
  readonly #decoder: LineDecoder;
  readonly #waiters = new Map<number, Waiter>();
  /** Ids of commands given up on; their late replies are dropped. */
  readonly #abandoned = new Set<number>();
  readonly #eventListeners: ((event: MonitorEvent) => void)[] = [];
  readonly #closeListeners: ((reason: Error) => void)[] = [];
  #lastId = 0;
  #unsent = '';
  #greeted?: (outOfBand: boolean) => void;
  #outOfBand = false;
  #ended: Error | undefined;
  #eventWindow = { startMilliseconds: 0, count: 0 };

  constructor(socket: Socket, address: string, limits: QmpLimits) {
    this.address = address;
    this.#socket = socket;
    this.#limits = limits;
    this.#decoder = new LineDecoder(limits.maxLineBytes);
    socket.on('error', (cause) => {
      this.#end(new ConnectionLostError(address, `connection lost: ${cause.message}`, cause));
    });
    socket.on('close', () => {
      this.#end(new ConnectionLostError(address, 'QEMU closed the connection'));
    });
  }

  /** Waits for the greeting and leaves QEMU's negotiation mode. Throws GreetingError or NegotiationError. */
  async handshake(): Promise<void> {
    const offered = await this.#greeting();
    const enable = offered ? ['oob'] : [];
    try {
      await this.execute('qmp_capabilities', { enable });
    } catch (error) {
      const failure = new NegotiationError(this.address, error as Error);
      this.#end(failure);
      throw failure;
    }
    this.#outOfBand = offered;
  }

  /** See Monitor. A reply that comes after the timeout is dropped. */
  execute(
    command: string,
    commandArguments?: object,
    timeoutMilliseconds: number = this.#limits.commandTimeoutMilliseconds,
  ): Promise<unknown> {
    if (this.#ended !== undefined) {
      return Promise.reject(
        new ConnectionLostError(
          this.address,
          `${command} was not sent: not connected`,
          this.#ended,
        ),
      );
    }
    const id = ++this.#lastId;
    const verb = this.#outOfBand && outOfBandCommands.has(command) ? 'exec-oob' : 'execute';
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#abandon(id, timeoutMilliseconds);
      }, timeoutMilliseconds);
      this.#waiters.set(id, { command, timer, resolve, reject });
      this.#send(JSON.stringify({ [verb]: command, arguments: commandArguments, id }));
    });
  }

  /** What is asked in one breath goes in one write: a system call costs more than the line. */
  #send(line: string): void {
    if (this.#unsent === '') {
      queueMicrotask(() => {
        this.#socket.write(this.#unsent);
        this.#unsent = '';
      });
    }
    this.#unsent += `${line}\n`;
  }

  onEvent(listener: (event: MonitorEvent) => void): void {
    this.#eventListeners.push(listener);
  }

  onClose(listener: (reason: Error) => void): void {
    if (this.#ended === undefined) this.#closeListeners.push(listener);
    else listener(this.#ended);
  }

  close(): void {
    this.#end(new ConnectionLostError(this.address, 'closed by ferryman'));
  }

  #greeting(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const { greetingTimeoutMilliseconds } = this.#limits;
      const timer = setTimeout(() => {
        this.#end(new GreetingError(this.address, greetingTimeoutMilliseconds));
      }, greetingTimeoutMilliseconds);
      this.#greeted = (outOfBand) => {
        clearTimeout(timer);
        resolve(outOfBand);
      };
      this.onClose((reason) => {
        clearTimeout(timer);
        reject(reason);
      });
    });
  }

  /** Takes what QEMU sent, however it was cut; the memory may be used again afterwards. */
  receive(chunk: Buffer): void {
    try {
      for (const line of this.#decoder.push(chunk)) {
        if (this.#ended !== undefined) return;
        this.#dispatch(parseMessage(line));
      }
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      this.#end(new BadReplyError(this.address, error.message, error));
    }
  }

  #dispatch(message: QmpMessage): void {
    switch (message.kind) {
      case 'greeting':
        this.#greeted?.(message.outOfBand);
        return;
      case 'event':
        this.#emit(message.name, message.data);
        return;
      case 'reply':
        this.#settle(message.id, ({ resolve }) => {
          resolve(message.value);
        });
        return;
      case 'refusal':
        this.#settle(message.id, ({ command, reject }) => {
          reject(new ExecuteError(this.address, command, message.class, message.description));
        });
    }
  }

  #settle(id: number | undefined, finish: (waiter: Waiter) => void): void {
    if (id !== undefined && this.#abandoned.delete(id)) return;
    const waiter = id === undefined ? undefined : this.#waiters.get(id);
    if (id === undefined || waiter === undefined) {
      this.#end(new BadReplyError(this.address, `no command with id ${String(id)} is under way`));
      return;
    }
    this.#waiters.delete(id);
    clearTimeout(waiter.timer);
    finish(waiter);
  }

  #abandon(id: number, timeoutMilliseconds: number): void {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) return;
    this.#waiters.delete(id);
    this.#abandoned.add(id);
    waiter.reject(new TimeoutError(this.address, waiter.command, timeoutMilliseconds));
    if (this.#abandoned.size < this.#limits.maxUnanswered) return;
    const what = `QEMU hangs: ${String(this.#abandoned.size)} commands were not answered`;
    this.#end(new ConnectionLostError(this.address, what));
  }

  #emit(name: string, data: Readonly<Record<string, unknown>>): void {
    const atMilliseconds = Date.now();
    const flood = this.#countEvent(atMilliseconds) > this.#limits.maxEventsPerSecond;
    if (flood) {
      const limit = `${String(this.#limits.maxEventsPerSecond)} events in one second`;
      this.#end(new BadReplyError(this.address, `more than ${limit}, the last was ${name}`));
      return;
    }
    for (const listener of this.#eventListeners) listener({ name, data, atMilliseconds });
  }

  #countEvent(atMilliseconds: number): number {
    const age = Math.abs(atMilliseconds - this.#eventWindow.startMilliseconds);
    if (age >= 1000) this.#eventWindow = { startMilliseconds: atMilliseconds, count: 0 };
    return ++this.#eventWindow.count;
  }

  /** The only exit: everything that waits learns of it, once. */
  #end(reason: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#socket.destroy();
    for (const waiter of this.#waiters.values()) {
      clearTimeout(waiter.timer);
      waiter.reject(reason);
    }
    this.#waiters.clear();
    for (const listener of this.#closeListeners.splice(0)) listener(reason);
  }
}
