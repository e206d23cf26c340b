import type { Endpoint } from '../shared/command.ts';

const example = 'tcp:192.0.2.7:49152';
const tcpPattern = /^tcp:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
/** sun_path of unix(7) holds 108 bytes with the closing zero. */
const longestSocketPathBytes = 107;

/**
 * Reads the migration URI of the command line.
 * Throws Error for anything but tcp:HOST:PORT and unix:PATH; the message says what to write instead.
 */
export function parseEndpoint(uri: string): Endpoint {
  if (uri.startsWith('tcp:')) return tcpEndpoint(uri);
  if (uri.startsWith('unix:')) return unixEndpoint(uri.slice('unix:'.length));
  if (uri.startsWith('exec:')) {
    throw new Error(
      'exec: would run a shell command on the host, which ferryman never does; use tcp:HOST:PORT or unix:PATH',
    );
  }
  throw new Error(`'${uri}' is neither tcp:HOST:PORT nor unix:PATH; write for example ${example}`);
}

function tcpEndpoint(uri: string): Endpoint {
  const [, host, port] = tcpPattern.exec(uri) ?? [];
  if (host === undefined)
    throw new Error(`'${uri}' is not tcp:HOST:PORT; write for example ${example}`);
  if (Number(port) < 1 || Number(port) > 65535) {
    throw new Error(`port ${String(port)} is not between 1 and 65535`);
  }
  return { kind: 'tcp', host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function unixEndpoint(path: string): Endpoint {
  if (!path.startsWith('/')) throw new Error(`unix:${path} needs an absolute path`);
  if (Buffer.byteLength(path) > longestSocketPathBytes) {
    throw new Error(`unix: paths hold at most ${String(longestSocketPathBytes)} bytes`);
  }
  return { kind: 'unix', path };
}
