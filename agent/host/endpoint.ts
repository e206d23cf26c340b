/** Where guest memory may go: what can be said at all (agent/qemu/uri.ts), then what the host allows. */
import type { Endpoint } from '../../shared/command.ts';
import { messageOf } from '../../shared/errors.ts';
import type { HostPolicy } from './policy-file.ts';
import { endpointToUri } from '../qemu/uri.ts';

/** Why guest memory may not go to (or come in from) this endpoint; undefined when it may. */
export function endpointProblem(endpoint: Endpoint, policy: HostPolicy): string | undefined {
  try {
    endpointToUri(endpoint);
  } catch (error) {
    return messageOf(error);
  }
  if (endpoint.kind === 'unix') return undefined;
  return portProblem(endpoint, policy) ?? hostProblem(endpoint.host, policy);
}

/** The port of a libvirt is its own; for the stream it takes one of its own configuration. */
function portProblem(endpoint: Endpoint, { migrationPorts }: HostPolicy): string | undefined {
  if (endpoint.kind !== 'tcp') return undefined;
  const { port } = endpoint;
  const { first, last } = migrationPorts;
  if (port >= first && port <= last) return undefined;
  return `port ${String(port)} is outside ${String(first)} to ${String(last)} of the host policy`;
}

function hostProblem(host: string, { destinationHosts: allowed }: HostPolicy): string | undefined {
  if (allowed === undefined || allowed.includes(host)) return undefined;
  return `${host} is not among the destinationHosts of the host policy`;
}
