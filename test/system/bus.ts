/** A NATS server on a fixed port, which can die and come back. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tools } from '../../scripts/tools.mjs';
import { until, type Stage } from './support.ts';

export interface RestartableBus {
  readonly url: string;
  start(): Promise<void>;
  /** It takes what is sent and does nothing with it, until it is killed. */
  freeze(): void;
  /** At once, without a word to its clients. */
  kill(): Promise<void>;
}

/** Starts it on a free port, with JetStream if asked; the stage ends it. */
export async function startBus(stage: Stage, { hasStreams = false } = {}): Promise<RestartableBus> {
  const port = await freePort();
  const streams = hasStreams ? ['--jetstream', '--store_dir', stage.folder()] : [];
  let child: ChildProcess | undefined;
  const bus: RestartableBus = {
    url: `nats://127.0.0.1:${port}`,
    start: async () => {
      const words = ['--addr', '127.0.0.1', '--port', String(port), ...streams];
      child = spawn(tools().natsServer, words, { stdio: 'ignore' });
      await until('nats-server listens', () => canConnect(port));
    },
    freeze: () => {
      child?.kill('SIGSTOP');
    },
    kill: async () => {
      if (child === undefined) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      child = undefined;
      await exited;
    },
  };
  stage.undo(() => bus.kill());
  await bus.start();
  return bus;
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
