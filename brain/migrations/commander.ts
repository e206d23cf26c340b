/**
 * Sends one operation to the agent of one VM and says what became of it; it never throws. A command
 * is sent once: what was lost on the way is reported, never repeated (P2).
 */
import type { Bus } from '../../shared/bus.ts';
import { decodeCommandResult, encodeCommand } from '../../shared/codec.ts';
import type { Command, CommandResult, Operation } from '../../shared/command.ts';
import { BusError, messageOf } from '../../shared/errors.ts';
import type { QemuRef } from '../../shared/sample.ts';
import { buildSubject } from '../../shared/subjects.ts';

/** How long the agent may still begin with a command. */
const validForMilliseconds = 3_000;

/** How long an agent may be at work on an operation once it has begun. */
const workMilliseconds: Partial<Readonly<Record<Operation['kind'], number>>> = {
  'start-destination': 40_000,
  // libvirt puts settings of its own back first.
  arm: 7_000,
  cancel: 5_000,
  restore: 7_000,
};
/** libvirt brings up the destination before the migration begins. */
const libvirtStartMilliseconds = 26_000;

export interface CommanderOptions {
  readonly bus: Bus;
  /** That in which this brain leads now; undefined while it does not. */
  readonly epoch: () => number | undefined;
  /** What the agent's monotonic clock reads now, see `Fleet`. */
  readonly agentMilliseconds: (host: string) => number | undefined;
}

export interface Commander {
  send(id: string, target: QemuRef, operation: Operation): Promise<CommandResult>;
  /** Sends nothing any more; resolves once all that was sent is answered or given up. */
  retire(): Promise<void>;
}

/** The one sender of a brain: its count of commands must not begin again. */
export function createCommander({ bus, epoch, agentMilliseconds }: CommanderOptions): Commander {
  // One count for all VMs grows for each of them.
  let sequence = 0;
  let isRetired = false;
  const underWay = new Set<Promise<CommandResult>>();
  return {
    send: async (id, target, operation) => {
      if (isRetired) return failed(id, 'this brain is stopping; nothing was sent');
      const leadsIn = epoch();
      if (leadsIn === undefined) return failed(id, 'this brain does not lead; nothing was sent');
      const agentNow = agentMilliseconds(target.host);
      if (agentNow === undefined)
        return failed(id, `no agent of host ${target.host} was heard yet`);
      if (!bus.connected) return failed(id, 'the message bus is away; nothing was sent');
      sequence += 1;
      const expiresAtAgentMilliseconds = Math.floor(agentNow + validForMilliseconds);
      const command = {
        id,
        epoch: leadsIn,
        sequence,
        target,
        expiresAtAgentMilliseconds,
        operation,
      };
      const delivery = deliver(bus, command);
      underWay.add(delivery);
      return delivery.finally(() => underWay.delete(delivery));
    },
    retire: async () => {
      isRetired = true;
      await Promise.all(underWay);
    },
  };
}

async function deliver(bus: Bus, command: Command): Promise<CommandResult> {
  let payload: Uint8Array;
  try {
    payload = encodeCommand(command);
  } catch (error) {
    return failed(command.id, messageOf(error));
  }
  return request(bus, command, payload);
}

async function request(bus: Bus, command: Command, payload: Uint8Array): Promise<CommandResult> {
  const subject = buildSubject({ channel: 'cmd', host: command.target.host });
  try {
    const reply = await bus.request(subject, payload, patienceMilliseconds(command.operation));
    const result = decodeCommandResult(reply);
    if (result.id === command.id) return result;
    return indeterminate(command.id, `the answer was for command ${result.id}`);
  } catch (error) {
    return lost(command, error);
  }
}

/** Longer than the agent may take, so that silence means a lost agent, not a slow one. */
function patienceMilliseconds(operation: Operation): number {
  return validForMilliseconds + workOf(operation);
}

function workOf(operation: Operation): number {
  if (operation.kind === 'probe') return 2 * operation.budgetMilliseconds;
  const isLibvirts = operation.kind === 'migrate' && operation.endpoint.kind === 'libvirt';
  return isLibvirts ? libvirtStartMilliseconds : (workMilliseconds[operation.kind] ?? 1_000);
}

/** What was never sent or never taken was not done; after silence nobody can know. */
function lost({ id, target }: Command, error: unknown): CommandResult {
  const reason = `command to host ${target.host}: ${messageOf(error)}`;
  return wasNotSent(error) ? failed(id, reason) : indeterminate(id, reason);
}

function wasNotSent(error: unknown): boolean {
  return error instanceof BusError && (error.code === 'NO_RESPONDERS' || error.code === 'REFUSED');
}

function failed(id: string, reason: string): CommandResult {
  return { id, outcome: 'failed', reason };
}

function indeterminate(id: string, reason: string): CommandResult {
  return { id, outcome: 'indeterminate', reason };
}
