/**
 * A command's way through the agent, under its VM's lock: gate, intent on the disk, effect, result on
 * the disk, answer. Whatever happens, the brain gets an answer that says how much is known.
 */
import type { Clock } from '../../shared/clock.ts';
import type { Command, CommandOutcome, CommandResult, Operation } from '../../shared/command.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { QemuRef, VmFacts } from '../../shared/sample.ts';
import { UnsettledError, type Effect, type VmOperation } from './actuator.ts';
import { admissionProblem, judge, type GateContext } from './gate.ts';
import type { Journal } from './journal.ts';
import type { Locks } from './locks.ts';
import { ConnectionLostError, TimeoutError } from '../monitor/qmp/errors.ts';
import type { HostPolicy } from '../host/policy-file.ts';
import type { QemuSettings } from '../qemu/options.ts';
import type { Situation } from './situation.ts';

/** What the executor needs of an attached VM. */
export interface Commandable {
  /** Asks QEMU. Throws MonitorError. */
  situation(): Promise<Omit<Situation, 'postCopyRequested'>>;
  apply(operation: VmOperation): Promise<Effect>;
}

export interface ExecutorOptions {
  readonly host: string;
  readonly agentBoot: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: HostPolicy;
  readonly journal: Journal;
  readonly locks: Locks;
  readonly brainIsSilent: () => boolean;
  readonly find: (ref: QemuRef) => Commandable | undefined;
  /** The settings of a VM before ferryman changed any: an agent that is killed needs them again. */
  readonly settingsBefore?: (ref: QemuRef) => QemuSettings | undefined;
  readonly startDestination: (target: QemuRef, family: string) => Promise<VmFacts>;
  /** Told of every command that was answered. */
  readonly onAnswer?: (command: Command, result: CommandResult) => void;
}

/** The key of a VM in locks and journal: its identity that outlives the agent. */
export function vmKey({ uuid, qemuPid }: QemuRef): string {
  return `${uuid}:${String(qemuPid)}`;
}

/** Answers commands; the promise never rejects. */
export function createExecutor(
  options: ExecutorOptions,
): (command: Command) => Promise<CommandResult> {
  const { log, locks, onAnswer } = options;
  return async (command) => {
    const result = await locks
      .run(vmKey(command.target), () => carryOut(command, options))
      // Whatever fails before the intent is written has done nothing.
      .catch((error: unknown) => answer(command, 'failed', { reason: messageOf(error) }));
    const { outcome, reason, applied } = result;
    log.info({ ...idsOf(command), outcome, reason, applied }, 'command');
    onAnswer?.(command, result);
    return result;
  };
}

/** For the log. A command is named by its migration and the number of the decision in it. */
function idsOf({ id, target, operation }: Command): Readonly<Record<string, unknown>> {
  const [migration, decision] = id.split('.');
  return {
    migration,
    ...(decision !== undefined && { decision: Number(decision) }),
    vm: target.uuid,
    operation: operation.kind,
  };
}

async function carryOut(command: Command, options: ExecutorOptions): Promise<CommandResult> {
  const { find, journal } = options;
  const early = admissionProblem(command, contextOf(command, options));
  if (early !== undefined) return answer(command, 'refused', { reason: early });

  // The QEMU that a fresh destination replaces need not be able to answer any more.
  const isStart = command.operation.kind === 'start-destination';
  const vm = isStart ? undefined : find(command.target);
  const situation = vm && {
    ...(await vm.situation()),
    postCopyRequested: journal.postCopyRequested(vmKey(command.target)),
  };
  const context = { ...contextOf(command, options), ...(situation && { vm: situation }) };
  const verdict = judge(command, context);
  if (verdict.verdict === 'refuse') return answer(command, 'refused', { reason: verdict.reason });
  return applyOnce(command, verdict.operation, vm, options);
}

/** From the intent on, the command counts as begun: it is never begun again. */
async function applyOnce(
  command: Command,
  operation: Operation,
  vm: Commandable | undefined,
  options: ExecutorOptions,
): Promise<CommandResult> {
  const { journal, log, settingsBefore } = options;
  try {
    const before = settingsBefore?.(command.target);
    await journal.intent(vmKey(command.target), command, before);
  } catch (error) {
    return answer(command, 'refused', { reason: messageOf(error) });
  }
  const result = await effectOf(operation, vm, command, options);
  await journal.result(command.id, result.outcome).catch((error: unknown) => {
    log.error({ ...idsOf(command), error }, 'the result could not be written');
  });
  return result;
}

async function effectOf(
  operation: Operation,
  vm: Commandable | undefined,
  command: Command,
  { startDestination }: ExecutorOptions,
): Promise<CommandResult> {
  try {
    if (operation.kind === 'start-destination') {
      const facts = await startDestination(command.target, operation.family);
      return answer(command, 'applied', { facts });
    }
    const gone = { reason: 'the VM is gone, nothing is left to do' };
    return answer(command, 'applied', (await vm?.apply(operation)) ?? gone);
  } catch (error) {
    return answer(command, outcomeOf(error), { reason: messageOf(error) });
  }
}

/** Without a reply nobody can know; everything else failed for a reason that is known. */
function outcomeOf(error: unknown): CommandOutcome {
  const isUnknown =
    error instanceof TimeoutError ||
    error instanceof ConnectionLostError ||
    error instanceof UnsettledError;
  return isUnknown ? 'indeterminate' : 'failed';
}

function contextOf({ id, target }: Command, options: ExecutorOptions): GateContext {
  const { host, agentBoot, clock, policy, journal, brainIsSilent } = options;
  const last = journal.lastOf(vmKey(target));
  return {
    host,
    agentBoot,
    nowAgentMilliseconds: clock.monotonicMilliseconds(),
    policy,
    highestEpoch: journal.highestEpoch,
    ...(last && { last }),
    isKnownId: journal.has(id),
    brainIsSilent: brainIsSilent(),
  };
}

function answer(
  { id }: Command,
  outcome: CommandOutcome,
  rest: Omit<CommandResult, 'id' | 'outcome'>,
): CommandResult {
  return { id, outcome, ...rest };
}
