import type { Endpoint } from '../../shared/command.ts';

const tcpUri = /^tcp:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([1-9][0-9]{0,4})$/;
const unixUri = /^unix:\/[^\0\n,]+$/;

/**
 * QEMU's words for an endpoint. The only place where a migration URI is made; what comes out always
 * passes `isSafeUri`. Throws RangeError for a host or path that could mean anything else.
 */
export function endpointToUri(endpoint: Endpoint): string {
  const uri = endpoint.kind === 'unix' ? `unix:${endpoint.path}` : tcpUriOf(endpoint);
  if (isSafeUri(uri)) return uri;
  throw new RangeError(
    `${JSON.stringify(uri)} is no migration endpoint: use a host name or address with a port, or an absolute path`,
  );
}

/** True for tcp: and unix: only. exec: would be a shell as QEMU's user, fd: and file: go elsewhere. */
export function isSafeUri(uri: unknown): boolean {
  if (typeof uri !== 'string') return false;
  const port = tcpUri.exec(uri)?.[2];
  return port === undefined ? unixUri.test(uri) : Number(port) <= 65_535;
}

function tcpUriOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return `tcp:${bare.includes(':') ? `[${bare}]` : bare}:${String(port)}`;
}
