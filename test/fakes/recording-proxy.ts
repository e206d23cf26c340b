/** A QMP socket in front of a real one that keeps every command which passes, and when it passed. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A command that reached QEMU. */
export interface RecordedCommand {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** A migration was under way, as far as its client could know. */
  readonly inFlight: boolean;
  /** Post-copy had been ordered in this migration. */
  readonly inPostCopy: boolean;
}

export interface RecordingProxy {
  readonly path: string;
  readonly commands: readonly RecordedCommand[];
  stop(): Promise<void>;
}

type Message = Readonly<Record<string, unknown>>;

const ends: ReadonlySet<unknown> = new Set(['none', 'completed', 'failed', 'cancelled']);

/** Listens at `path` and passes everything on to the QMP socket at `upstreamPath`, and back. */
export async function recordingProxy(path: string, upstreamPath: string): Promise<RecordingProxy> {
  const commands: RecordedCommand[] = [];
  const sockets = new Set<Socket>();
  let inFlight = false;
  let inPostCopy = false;

  const sent = (message: Message) => {
    const name = String(message['execute'] ?? message['exec-oob']);
    const given = (message['arguments'] ?? {}) as Message;
    commands.push({ name, arguments: given, inFlight, inPostCopy });
    if (name === 'migrate') inFlight = true;
    if (name === 'migrate-start-postcopy') inPostCopy = true;
  };
  const answered = (message: Message) => {
    const reply = (message['return'] ?? {}) as Message;
    // Only query-migrate and query-status have it, and a run state is none of these words.
    if (inFlight && ends.has(reply['status'])) inFlight = inPostCopy = false;
  };
  const server = createServer((client) => {
    const upstream = connect(upstreamPath);
    join(client, upstream, sent);
    join(upstream, client, answered);
    for (const socket of [client, upstream]) sockets.add(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    commands,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Passes on what `from` says, tells of each line of it, and ends `to` with it. */
function join(from: Socket, to: Socket, onMessage: (message: Message) => void): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
  createInterface(from)
    .on('line', (line) => {
      onMessage(JSON.parse(line) as Message);
    })
    .on('error', () => to.destroy());
}
