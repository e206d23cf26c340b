import { connect, type Socket } from 'node:net';
import type { Monitor } from './monitor.ts';
import { defaultQmpLimits, QmpClient, type QmpLimits } from './qmp/client.ts';
import { ConnectionLostError } from './qmp/errors.ts';

/**
 * Opens the QMP unix socket at `path` and negotiates (with out-of-band commands where offered).
 * Throws ConnectionLostError (nobody listens), GreetingError, NegotiationError, BadReplyError.
 */
export async function openQmp(path: string, limits: Partial<QmpLimits> = {}): Promise<Monitor> {
  const reader: { client?: QmpClient } = {};
  const socket = await connected(path, (chunk) => reader.client?.receive(chunk));
  const client = new QmpClient(socket, path, { ...defaultQmpLimits, ...limits });
  reader.client = client;
  await client.handshake();
  return client;
}

/**
 * Whatever any QEMU sends is read into this and taken from it at once: a buffer of this size for every
 * answer, which is Node's way, keeps the garbage collector of an agent with many VMs busy.
 */
const received = Buffer.allocUnsafeSlow(64 * 1024);

function connected(path: string, onChunk: (chunk: Buffer) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const callback = (bytes: number): boolean => {
      onChunk(received.subarray(0, bytes));
      return true;
    };
    const socket = connect({ path, onread: { buffer: received, callback } });
    const refuse = (cause: NodeJS.ErrnoException): void => {
      const remedy =
        cause.code === 'EACCES'
          ? 'was QEMU started with umask 007, in a folder that the agent may enter (docs/installing.md)?'
          : `is QEMU running with -qmp unix:${path},server=on,wait=off?`;
      const what = `cannot connect (${cause.message}); ${remedy}`;
      reject(new ConnectionLostError(path, what, cause));
    };
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}
