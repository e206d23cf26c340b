import { libvirtTransports, type Endpoint, type LibvirtPlace } from '../../shared/command.ts';

const tcpUri = /^tcp:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([1-9][0-9]{0,4})$/;
const unixUri = /^unix:\/[^\0\n,]+$/;
/** A host never begins with a dash: to the program behind `ssh` that would be an option. */
const libvirtUri =
  /^qemu\+(tls|tcp|ssh):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::([1-9][0-9]{0,4}))?\/system$/;

/**
 * QEMU's words, or libvirt's, for an endpoint. The only place where a migration URI is made; what
 * comes out always passes `isSafeUri`. Throws RangeError for a host or path that could mean anything
 * else.
 */
export function endpointToUri(endpoint: Endpoint): string {
  const uri = uriOf(endpoint);
  if (isSafeUri(uri)) return uri;
  throw new RangeError(
    `${JSON.stringify(uri)} is no migration endpoint: use a host name or address with a port, or an absolute path`,
  );
}

/**
 * True for tcp: and unix:, and for a libvirt. exec: would be a shell as QEMU's user, fd: and file: go
 * elsewhere.
 */
export function isSafeUri(uri: unknown): boolean {
  if (typeof uri !== 'string') return false;
  const port = tcpUri.exec(uri)?.[2] ?? libvirtUri.exec(uri)?.[3];
  const isKnown = [tcpUri, unixUri, libvirtUri].some((pattern) => pattern.test(uri));
  return isKnown && Number(port ?? 0) <= 65_535;
}

/** The libvirt that a URI names, as `virsh -c` takes it; undefined when it is none of another host. */
export function parseLibvirtUri(uri: string): LibvirtPlace | undefined {
  const [, transport, host, port] = libvirtUri.exec(uri) ?? [];
  if (transport === undefined || host === undefined || !isSafeUri(uri)) return undefined;
  const known = libvirtTransports.find((each) => each === transport);
  return known && { transport: known, host, ...(port !== undefined && { port: Number(port) }) };
}

function uriOf(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case 'unix':
      return `unix:${endpoint.path}`;
    case 'tcp':
      return `tcp:${bracketed(endpoint.host)}:${String(endpoint.port)}`;
    case 'libvirt': {
      const port = endpoint.port === undefined ? '' : `:${String(endpoint.port)}`;
      return `qemu+${endpoint.transport}://${bracketed(endpoint.host)}${port}/system`;
    }
  }
}

function bracketed(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare.includes(':') ? `[${bare}]` : bare;
}
