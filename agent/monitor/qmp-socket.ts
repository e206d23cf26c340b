import { connect, type Socket } from 'node:net';
import type { Monitor } from './monitor.ts';
import { defaultQmpLimits, QmpClient, type QmpLimits } from './qmp/client.ts';
import { ConnectionLostError } from './qmp/errors.ts';

/**
 * Opens the QMP unix socket at `path` and negotiates (with out-of-band commands where offered).
 * Throws ConnectionLostError (nobody listens), GreetingError, NegotiationError, BadReplyError.
 */
export async function openQmp(path: string, limits: Partial<QmpLimits> = {}): Promise<Monitor> {
  const socket = await connected(path);
  const client = new QmpClient(socket, path, { ...defaultQmpLimits, ...limits });
  await client.handshake();
  return client;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
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
