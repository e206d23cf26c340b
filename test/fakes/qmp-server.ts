import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A command as it arrived. */
export interface ReceivedCommand {
  readonly verb: 'execute' | 'exec-oob';
  readonly command: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly id: unknown;
}

/** What to answer: a value, a refusal, or nothing at all. */
export type Answer =
  | { readonly return: unknown }
  | { readonly error: { readonly class?: string; readonly desc: string } }
  | 'hang'
  | 'close';

export type Answerer = (received: ReceivedCommand) => Answer | undefined;

export interface FakeQmpOptions {
  /** Default: a new socket in a temporary directory of its own. */
  readonly path?: string;
  /** False: connects, and says nothing. A string is sent instead of a greeting. */
  readonly greeting?: boolean | string;
  readonly outOfBand?: boolean;
  /** Undefined from it means CommandNotFound. qmp_capabilities then succeeds. */
  readonly answer?: Answerer;
}

/** A QMP server that behaves as badly as a test wants it to. Serves one client at a time, as QEMU does. */
export class FakeQmpServer {
  readonly path: string;
  /** Every command that arrived, qmp_capabilities included. */
  readonly received: ReceivedCommand[] = [];
  connections = 0;
  answer: Answerer;
  readonly #options: FakeQmpOptions;
  readonly #server: Server;
  readonly #directory: string | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, directory: string | undefined, options: FakeQmpOptions) {
    this.path = path;
    this.#directory = directory;
    this.#options = options;
    this.answer = options.answer ?? (() => undefined);
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }

  /** Sends bytes as they are to whoever is connected. */
  sendRaw(text: string | Uint8Array): void {
    for (const socket of this.#sockets) socket.write(text);
  }

  sendEvent(event: string, data: object = {}): void {
    const timestamp = { seconds: 0, microseconds: 0 };
    this.sendRaw(`${JSON.stringify({ timestamp, event, data })}\r\n`);
  }

  /** Names of the commands received, without the negotiation. */
  commands(): string[] {
    const names = this.received.map(({ command }) => command);
    return names.filter((name) => name !== 'qmp_capabilities');
  }

  /** Drops every connection; listening goes on. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.disconnect();
    this.#server.close();
    await once(this.#server, 'close');
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    let unread = '';
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      unread += chunk.toString('utf8');
      const lines = unread.split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) this.#handle(socket, line);
    });
    const greeting = this.#options.greeting ?? true;
    if (greeting === true) socket.write(`${JSON.stringify(this.#hello())}\r\n`);
    else if (typeof greeting === 'string') socket.write(greeting);
  }

  #hello(): object {
    const capabilities = this.#options.outOfBand === false ? [] : ['oob'];
    return { QMP: { version: { qemu: { major: 7, minor: 2, micro: 22 } }, capabilities } };
  }

  #handle(socket: Socket, line: string): void {
    const message = JSON.parse(line) as Record<string, unknown>;
    const verb = 'exec-oob' in message ? 'exec-oob' : 'execute';
    const received: ReceivedCommand = {
      verb,
      command: String(message[verb]),
      arguments: (message['arguments'] ?? {}) as Record<string, unknown>,
      id: message['id'],
    };
    this.received.push(received);
    const answer = this.#answerTo(received);
    if (answer === 'hang') return;
    if (answer === 'close') socket.destroy();
    else socket.write(`${JSON.stringify({ ...answer, id: received.id })}\r\n`);
  }

  #answerTo(received: ReceivedCommand): Answer {
    const answer = this.answer(received);
    if (answer !== undefined) return answer;
    if (received.command === 'qmp_capabilities') return { return: {} };
    const desc = `The command ${received.command} has not been found`;
    return { error: { class: 'CommandNotFound', desc } };
  }
}

/** Starts a fake QMP server; `stop` it at the end. */
export async function fakeQmp(options: FakeQmpOptions = {}): Promise<FakeQmpServer> {
  const directory =
    options.path === undefined ? await mkdtemp(join(tmpdir(), 'ferryman-qmp-')) : undefined;
  const path = options.path ?? join(directory ?? '', 'monitor.sock');
  const server = new FakeQmpServer(path, directory, options);
  await server.listen();
  return server;
}
