/** May this operation be done to this VM now? Pure; one rule per operation, refusing by default. */
import type { Arming, Endpoint, Operation, OperationKind, Tuning } from '../../shared/command.ts';
import type { LiveSetting, VmFacts } from '../../shared/sample.ts';
import { endpointProblem } from '../host/endpoint.ts';
import type { HostPolicy } from '../host/policy-file.ts';
import { isCancellable, isPostCopy } from '../qemu/status.ts';
import { isAtRest, isPreCopy, type Situation } from './situation.ts';

type Rule<K extends OperationKind> = (
  operation: Extract<Operation, { kind: K }>,
  vm: Situation,
  policy: HostPolicy,
) => string | undefined;

/** Why the operation is refused, for people; undefined when it may go ahead. */
export function preconditionProblem(
  operation: Operation,
  vm: Situation,
  policy: HostPolicy,
): string | undefined {
  const rule = rules[operation.kind] as Rule<OperationKind>;
  return rule(operation, vm, policy);
}

const rules: { readonly [K in OperationKind]: Rule<K> } = {
  probe: (_operation, vm, policy) =>
    unless(policy.probe, 'the host policy forbids the probe') ?? unlessIdle(vm, 'probing'),
  'start-destination': (_operation, _vm, policy) => destinationProblem(policy),
  arm: ({ arming }, vm, policy) => unlessIdle(vm, 'arming') ?? armingProblem(arming, vm, policy),
  listen: ({ endpoint }, vm, policy) =>
    unless(vm.facts.runState === 'inmigrate', `it is ${vm.facts.runState}, not inmigrate`) ??
    unlessIdle(vm, 'listening') ??
    wayProblem(endpoint, vm, policy),
  migrate: ({ endpoint }, vm, policy) =>
    unless(vm.armed !== undefined, 'it was not armed') ??
    unless(vm.facts.runState !== 'inmigrate', 'it is itself waiting for a migration') ??
    unless(vm.facts.runState !== 'postmigrate', 'its guest has already moved away') ??
    unlessIdle(vm, 'a second migration') ??
    wayProblem(endpoint, vm, policy),
  tune: ({ tuning }, vm) => tuningProblem(tuning, vm),
  throttle: ({ percent, mechanism }, vm) => {
    const offered = vm.facts.throttles.some((throttle) => throttle.mechanism === mechanism);
    if (!offered) return `the ${mechanism} throttle is not available for this VM`;
    return percent <= 0 ? undefined : squeezeProblem(vm, mechanism);
  },
  cancel: (_operation, vm) =>
    unless(!vm.postCopyRequested, 'post-copy was requested, a cancel could lose the VM') ??
    unless(isCancellable(statusOf(vm)), `its migration is ${statusOf(vm)}`),
  'start-postcopy': (_operation, vm, policy) =>
    unless(policy.postCopy, 'the host policy forbids post-copy') ??
    unless(vm.armed?.postCopy === true, 'post-copy was not armed') ??
    unless(!vm.postCopyRequested, 'post-copy was requested before') ??
    unless(statusOf(vm) === 'active', `its migration is ${statusOf(vm)}, not active`),
  'recover-destination': ({ endpoint }, vm, policy) =>
    recoveryProblem(vm) ?? wayProblem(endpoint, vm, policy),
  resume: ({ endpoint }, vm, policy) => recoveryProblem(vm) ?? wayProblem(endpoint, vm, policy),
  restore: (_operation, vm) => unlessIdle(vm, 'restoring'),
};

/** Why no destination can be started on this host; undefined when one can. */
export function destinationProblem(policy: HostPolicy): string | undefined {
  return unless(
    policy.destinationCommand !== undefined,
    'the host policy has no destinationCommand to start one with',
  );
}

/** libvirt moves its domains itself, to a libvirt; nobody else can be told to. */
function wayProblem(endpoint: Endpoint, vm: Situation, policy: HostPolicy): string | undefined {
  const isLibvirts = vm.facts.owner === 'libvirt';
  return (
    unless(
      (endpoint.kind === 'libvirt') === isLibvirts,
      isLibvirts ? 'its libvirt moves it only to another libvirt' : 'it is not run by a libvirt',
    ) ?? endpointProblem(endpoint, policy)
  );
}

function armingProblem(arming: Arming, vm: Situation, policy: HostPolicy): string | undefined {
  const { family, postCopy } = arming;
  if (!vm.facts.families.includes(family)) return `${family} is not safe or not known on its QEMU`;
  if (!postCopy) return undefined;
  return (
    unless(policy.postCopy, 'the host policy forbids post-copy') ??
    unless(
      vm.facts.postCopyFamilies.includes(family),
      `post-copy and ${family} exclude each other on its QEMU`,
    )
  );
}

const settingOf: { readonly [K in keyof Tuning]-?: LiveSetting } = {
  downtimeLimitMilliseconds: 'downtime-limit',
  maxBandwidthBytesPerSecond: 'max-bandwidth',
  availSwitchoverBandwidthBytesPerSecond: 'avail-switchover-bandwidth',
  maxPostcopyBandwidthBytesPerSecond: 'max-postcopy-bandwidth',
  autoConverge: 'throttle',
};

function tuningProblem(tuning: Tuning, vm: Situation): string | undefined {
  const present = (Object.keys(settingOf) as (keyof Tuning)[]).filter(
    (name) => tuning[name] !== undefined,
  );
  const settings = present.map((name) => settingOf[name]);
  const missing = settings.filter((setting) => !vm.facts.liveSettings.includes(setting));
  if (missing.length > 0) return `${missing.join(', ')} cannot be tuned live on its QEMU`;
  if (!isPostCopy(statusOf(vm))) return undefined;
  const others = settings.filter((setting) => setting !== 'max-postcopy-bandwidth');
  return unless(others.length === 0, `${others.join(', ')} means nothing in post-copy`);
}

function squeezeProblem(vm: Situation, mechanism: string): string | undefined {
  const isInert = mechanism === 'qemu' && vm.armed !== undefined && !vm.armed.autoConverge;
  return (
    unless(!isInert, 'auto-converge was not armed') ??
    unless(isPreCopy(vm.facts), `no pre-copy is under way (${statusOf(vm)})`)
  );
}

function recoveryProblem(vm: Situation): string | undefined {
  const status = statusOf(vm);
  return unless(status === 'postcopy-paused', `its migration is ${status}, not postcopy-paused`);
}

function unlessIdle(vm: Situation, what: string): string | undefined {
  return unless(isAtRest(vm.facts), `${what} has to wait: its migration is ${statusOf(vm)}`);
}

function unless(condition: boolean, problem: string): string | undefined {
  return condition ? undefined : problem;
}

function statusOf({ facts }: { readonly facts: VmFacts }): string {
  return facts.migrationStatus;
}
