/** Has a host start a QEMU for a VM that comes there, before there is a migration to speak of. */
import { randomUUID } from 'node:crypto';
import type { VmFacts } from '../../shared/sample.ts';
import type { Commander } from '../migrations/commander.ts';
import type { Fleet } from '../fleet.ts';
import { OrderError } from '../orders.ts';

/**
 * Sends `start-destination` and returns the facts of the QEMU that waits. What to run is the host's
 * own business: only the VM's UUID is said. Throws OrderError with what the host answered.
 */
export async function startDestination(
  { fleet, commander }: { readonly fleet: Fleet; readonly commander: Commander },
  host: string,
  uuid: string,
): Promise<VmFacts> {
  const agentBoot = fleet.hosts().find((view) => view.host === host)?.agentBoot ?? '';
  // No process is replaced; the family is armed later, once the guest has been looked at.
  const target = { host, agentBoot, qemuPid: 0, uuid };
  const operation = { kind: 'start-destination', family: 'plain' } as const;
  const id = `destination-${randomUUID().slice(0, 8)}`;
  const { facts, outcome, reason = outcome } = await commander.send(id, target, operation);
  if (facts) return facts;
  throw new OrderError('NO_DESTINATION', `no destination was started on ${host}: ${reason}`);
}
