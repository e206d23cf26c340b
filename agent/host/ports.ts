/** Which ports of this host nothing else can listen on. */
import { readFileSync } from 'node:fs';
import type { HostPolicy } from './policy-file.ts';

/** The column of /proc/net/tcp that holds `address:port`, in hexadecimal (kernel: proc_net_tcp.txt). */
const localAddressColumn = 1;

/**
 * Those of the range that some TCP socket has, in any state, ascending. libvirt's range, which is the
 * default, lies within the kernel's ephemeral ports: the own end of any outgoing connection may sit
 * on one, and QEMU cannot listen there until a minute after that connection has ended.
 */
export function occupiedPorts(
  { first, last }: HostPolicy['migrationPorts'],
  folder = '/proc/net',
): readonly number[] {
  const ports = ['tcp', 'tcp6'].flatMap((name) => localPorts(tableOf(`${folder}/${name}`)));
  const within = new Set(ports.filter((port) => port >= first && port <= last));
  return [...within].sort((one, other) => one - other);
}

function localPorts(table: string): readonly number[] {
  const [, ...rows] = table.trim().split('\n');
  return rows.map((row) => {
    const address = row.trim().split(/\s+/)[localAddressColumn] ?? '';
    return parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
  });
}

/** Empty on a host without that protocol. */
function tableOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
