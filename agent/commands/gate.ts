/**
 * The last word before a command touches a VM. Pure: the order of its checks is the promise that a
 * command is applied at most once, never late, never from a deposed brain, and never to another VM.
 */
import type { Command, Operation } from '../../shared/command.ts';
import { clampOperation } from './clamps.ts';
import type { HostPolicy } from '../host/policy-file.ts';
import { destinationProblem, preconditionProblem } from './preconditions.ts';
import { isKnownStatus } from '../qemu/status.ts';
import type { Situation } from './situation.ts';

/** Where a VM's stream of commands stands; a new epoch begins a new count. */
export interface StreamPosition {
  readonly epoch: number;
  readonly sequence: number;
}

/** All that the verdict depends on. */
export interface GateContext {
  readonly host: string;
  readonly agentBoot: string;
  /** The agent's monotonic clock. */
  readonly nowAgentMilliseconds: number;
  readonly policy: HostPolicy;
  /** The highest epoch ever seen, across restarts of the agent. */
  readonly highestEpoch: number;
  /** The last command let through for this VM. */
  readonly last?: StreamPosition;
  readonly isKnownId: boolean;
  /** The beacon has been missed for so long that throttles went to the floor. */
  readonly brainIsSilent: boolean;
  /** Absent: no VM of this identity is attached. */
  readonly vm?: Situation;
}

/** `operation` is what may be applied: the wanted one within the bounds of this host. */
export type Verdict =
  | { readonly verdict: 'apply'; readonly operation: Operation }
  | { readonly verdict: 'refuse'; readonly reason: string };

type Check = (command: Command, context: GateContext) => string | undefined;

/** Who and when: why the command is refused before its VM is even looked at. */
export function admissionProblem(command: Command, context: GateContext): string | undefined {
  return firstProblem(admission, command, context);
}

/** Judges one command: who and when first, then what. */
export function judge(command: Command, context: GateContext): Verdict {
  const reason = firstProblem([...admission, ...situation], command, context);
  if (reason !== undefined) return { verdict: 'refuse', reason };
  const { operation } = command;
  if (context.vm === undefined) return { verdict: 'apply', operation };
  const clamped = clampOperation(operation, context.vm, context.policy);
  return { verdict: 'apply', operation: clamped };
}

function firstProblem(
  checks: readonly NamedCheck[],
  command: Command,
  context: GateContext,
): string | undefined {
  for (const [rule, check] of checks) {
    const problem = check(command, context);
    if (problem !== undefined) return `${rule}: ${problem}`;
  }
  return undefined;
}

/** Names are part of the reason: operators and tests look for them. */
type NamedCheck = readonly [string, Check];

const admission: readonly NamedCheck[] = [
  ['host', ({ target }, { host }) => differs('the command is for host', target.host, host)],
  [
    'agent-life',
    ({ target }, { agentBoot }) =>
      differs('the command is for an earlier life of this agent', target.agentBoot, agentBoot),
  ],
  ['epoch', epochProblem],
  ['sequence', sequenceProblem],
  ['duplicate', (_command, { isKnownId }) => (isKnownId ? 'this id was seen before' : undefined)],
  ['expired', expiryProblem],
  ['observe-only', observeProblem],
  ['brain-silent', silenceProblem],
];

const situation: readonly NamedCheck[] = [
  ['target', targetProblem],
  ['precondition', situationProblem],
];

function differs(what: string, wanted: string, actual: string): string | undefined {
  return wanted === actual ? undefined : `${what} (${wanted}, this is ${actual})`;
}

function epochProblem({ epoch }: Command, { highestEpoch }: GateContext): string | undefined {
  if (epoch >= highestEpoch) return undefined;
  return `the brain of epoch ${String(epoch)} was deposed by epoch ${String(highestEpoch)}`;
}

function sequenceProblem(command: Command, { last }: GateContext): string | undefined {
  if (last === undefined || command.epoch > last.epoch) return undefined;
  if (command.sequence > last.sequence) return undefined;
  return `${String(command.sequence)} comes after ${String(last.sequence)} was carried out`;
}

function expiryProblem(
  command: Command,
  { nowAgentMilliseconds }: GateContext,
): string | undefined {
  const lateMilliseconds = nowAgentMilliseconds - command.expiresAtAgentMilliseconds;
  return lateMilliseconds > 0 ? `${lateMilliseconds.toFixed(0)} ms too late` : undefined;
}

function observeProblem(_command: Command, { policy }: GateContext): string | undefined {
  return policy.mode === 'observe' ? 'the host policy says mode: observe' : undefined;
}

/** While the beacon is missing nothing is squeezed harder: nobody might be there to let go again. */
function silenceProblem(command: Command, { brainIsSilent }: GateContext): string | undefined {
  const { operation } = command;
  const percent =
    operation.kind === 'throttle'
      ? operation.percent
      : operation.kind === 'tune'
        ? (operation.tuning.autoConverge?.maxPercent ?? 0)
        : 0;
  if (!brainIsSilent || percent <= 1) return undefined;
  return "the brain's beacon is missing, no throttle is raised";
}

/** A destination is started because there is none; of one that is gone all is restored. */
const actsOnNobody: ReadonlySet<string> = new Set(['start-destination', 'restore']);

function targetProblem({ target, operation }: Command, { vm }: GateContext): string | undefined {
  if (vm !== undefined || actsOnNobody.has(operation.kind)) return undefined;
  return `no VM ${target.uuid} with pid ${String(target.qemuPid)} is attached here`;
}

function situationProblem({ operation }: Command, { vm, policy }: GateContext): string | undefined {
  if (vm === undefined)
    return operation.kind === 'restore' ? undefined : destinationProblem(policy);
  const status = vm.facts.migrationStatus;
  if (!isKnownStatus(status)) return `migration status ${status} is unknown to this ferryman`;
  return preconditionProblem(operation, vm, policy);
}
