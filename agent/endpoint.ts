/** Where guest memory may go: what can be said at all (agent/qemu/uri.ts), then what the host allows. */
import type { Endpoint } from '../shared/command.ts';
import { messageOf } from '../shared/errors.ts';
import type { HostPolicy } from './policy-file.ts';
import { endpointToUri } from './qemu/uri.ts';

/** Why guest memory may not go to (or come in from) this endpoint; undefined when it may. */
export function endpointProblem(endpoint: Endpoint, policy: HostPolicy): string | undefined {
  try {
    endpointToUri(endpoint);
  } catch (error) {
    return messageOf(error);
  }
  return endpoint.kind === 'tcp' ? policyProblem(endpoint.host, endpoint.port, policy) : undefined;
}

function policyProblem(host: string, port: number, policy: HostPolicy): string | undefined {
  const { first, last } = policy.migrationPorts;
  if (port < first || port > last) {
    return `port ${String(port)} is outside ${String(first)} to ${String(last)} of the host policy`;
  }
  const allowed = policy.destinationHosts;
  if (allowed === undefined || allowed.includes(host)) return undefined;
  return `${host} is not among the destinationHosts of the host policy`;
}
