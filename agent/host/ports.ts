/** Which migration ports of this host other sockets have. */
import { readFileSync } from 'node:fs';
import type { HostPolicy } from './policy-file.ts';

/** A row of /proc/net/tcp begins `number: localAddress:port`, in hexadecimal (kernel: proc_net_tcp.txt). */
const localPort = /^ *\d+: [\dA-F]+:([\dA-F]{4})/gm;

/**
 * Those of the range that some TCP socket has, in any state, ascending. libvirt's range, which is the
 * default, lies within the kernel's ephemeral ports: the own end of any outgoing connection may sit
 * on one, and QEMU cannot listen there until a minute after that connection has ended. (It can where the
 * other end was a listener's, which the kernel does not tell apart here.)
 */
export function occupiedPorts(
  { first, last }: HostPolicy['migrationPorts'],
  folder = '/proc/self/net',
): readonly number[] {
  const ports = ['tcp', 'tcp6'].flatMap((name) => localPorts(tableOf(`${folder}/${name}`)));
  const within = new Set(ports.filter((port) => port >= first && port <= last));
  return [...within].sort((one, other) => one - other);
}

function localPorts(table: string): readonly number[] {
  return Array.from(table.matchAll(localPort), ([, port = '']) => parseInt(port, 16));
}

/** Empty on a host without that protocol. */
function tableOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
