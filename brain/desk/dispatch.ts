/** Sends VMs on their way: looks before it leaps, has a destination started where there is none. */
import type { Endpoint, LibvirtPlace } from '../../shared/command.ts';
import { defaultObjective } from '../../shared/objective.ts';
import type { Objective } from '../../shared/objective.ts';
import type { VmFacts } from '../../shared/sample.ts';
import { ruleFor } from '../../shared/config/vms.ts';
import type { Mode, VmRule, VmRules } from '../../shared/config/vms.ts';
import type { MigrationPrediction } from '../core/prediction.ts';
import { endpointFor, hostNamed, journeyOf, runningVm } from './journey.ts';
import { answersTo } from '../fleet.ts';
import { OrderError, heldError } from '../orders.ts';
import type { VmSelector } from '../orders.ts';
import { obstacle, preflight } from './preflight.ts';
import type { Finding, Preflight } from './preflight.ts';
import type { Brain } from '../service.ts';
import type { GivenObjective, PairOrder, WishOrder } from './orders.ts';

export interface DispatchOptions {
  readonly brain: Brain;
  /** For VMs of which nothing else is said. */
  readonly mode: Mode;
  readonly policy: string;
  readonly rules: VmRules;
}

/** A migration under way, and what its operator should know. */
export interface Dispatched {
  readonly id: string;
  readonly source: VmSelector;
  readonly destination: VmSelector;
  readonly cautions: readonly string[];
  /** Whether the destination was started for it. */
  readonly started: boolean;
}

/** What was not done because the mode forbids it, and what would have been. */
export interface Advice {
  readonly ok: false;
  readonly code: 'MODE';
  readonly message: string;
  readonly advice?: MigrationPrediction;
}

export interface Dispatcher {
  modeOf(vm: VmFacts): Mode;
  /** Throws OrderError; then nothing has begun. */
  pair(order: PairOrder): Promise<Dispatched | Advice>;
  wish(order: WishOrder): Promise<Dispatched | Advice>;
  check(wish: Pick<WishOrder, 'vm' | 'to' | 'from' | 'sharedStorage'>): readonly Finding[];
  predict(question: {
    readonly vm: string;
    readonly to?: string | undefined;
    readonly from?: string | undefined;
    readonly objective: GivenObjective;
  }): Promise<MigrationPrediction>;
}

/** One for each brain: it keeps count of ports, and of VMs whose destination is being started. */
export function createDispatcher(options: DispatchOptions): Dispatcher {
  const { brain } = options;
  const means: Means = {
    brain,
    ruleOf: (vm) => ({ mode: options.mode, policy: options.policy, ...ruleOf(options, vm) }),
    busy: new Set(),
    lastPorts: new Map(),
  };
  return {
    modeOf: (vm) => means.ruleOf(vm).mode,
    pair: (order) => pair(means, order),
    wish: (order) => wish(means, order),
    check: (question) => preflight(journeyOf(brain.hosts(), question)),
    predict: (question) => predict(means, question),
  };
}

type FullRule = Required<VmRule>;

interface Means {
  readonly brain: Brain;
  readonly ruleOf: (vm: VmFacts | undefined) => FullRule;
  readonly busy: Set<string>;
  readonly lastPorts: Map<string, number>;
}

function ruleOf({ rules }: DispatchOptions, vm: VmFacts | undefined): VmRule {
  return vm ? ruleFor(rules, [vm.name, vm.ref.uuid]) : { objective: {} };
}

/** Nothing is looked for: both QEMUs are named, and what is wrong with them QEMU will say. */
async function pair({ brain, ruleOf }: Means, order: PairOrder): Promise<Dispatched | Advice> {
  const { id, source, destination, endpoint } = order;
  const host = brain.hosts().find((view) => view.host === source.host);
  const vm = host?.vms.find((each) => answersTo(each, source.selector));
  const rule = ruleOf(vm);
  const objective = objectiveOf(rule, order.objective);
  if (rule.mode !== 'act') {
    return advise(rule.mode, () => brain.predict({ source, destination, objective }));
  }
  const policy = order.policy ?? rule.policy;
  const begun = brain.migrate({ id, source, destination, endpoint, policy, objective });
  return { id: begun, source, destination, cautions: [], started: false };
}

async function wish(means: Means, order: WishOrder): Promise<Dispatched | Advice> {
  const { brain } = means;
  const journey = journeyOf(brain.hosts(), order);
  const rule = means.ruleOf(journey.vm);
  if (rule.mode !== 'act') return advise(rule.mode, () => predict(means, order));
  const way = await alone(means, journey.vm, () => prepare(means, journey));
  const { endpoint, destination, cautions, started } = way;
  const sides = { source: selectorOf(journey.vm), destination };
  const objective = objectiveOf(rule, order.objective);
  const policy = order.policy ?? rule.policy;
  const id = brain.migrate({ id: order.id, ...sides, endpoint, policy, objective });
  return { id, ...sides, cautions, started };
}

/** One at a time for each VM: to start a destination takes a while. */
async function alone<T>({ busy }: Means, vm: VmFacts, work: () => Promise<T>): Promise<T> {
  const { uuid } = vm.ref;
  if (busy.has(uuid)) {
    throw new OrderError('VM_BUSY', `a destination for VM ${vm.name} is being started already`);
  }
  busy.add(uuid);
  try {
    return await work();
  } finally {
    busy.delete(uuid);
  }
}

/** How a VM gets there. */
interface Way {
  readonly destination: VmSelector;
  readonly endpoint: Endpoint;
  readonly cautions: readonly string[];
  /** Whether a destination was started for it. */
  readonly started: boolean;
}

async function prepare(means: Means, journey: Preflight): Promise<Way> {
  const { vm, host } = journey;
  const held = means.brain.held().get(vm.ref.uuid);
  if (held !== undefined) throw heldError(vm, held);
  const cautions = cautionsOf(journey);
  const libvirt = vm.owner === 'libvirt' ? host.facts?.libvirt : undefined;
  return libvirt ? byLibvirt(journey, libvirt, cautions) : byQemu(means, journey, cautions);
}

/** Wherever libvirt makes a domain, it has the same UUID, and so the same monitor. */
function byLibvirt({ vm, host }: Preflight, place: LibvirtPlace, cautions: readonly string[]): Way {
  const destination = { host: host.host, selector: vm.monitor };
  return { destination, endpoint: { kind: 'libvirt', ...place }, cautions, started: false };
}

/** The QEMU that waits, started if need be, and looked at once more when it is there. */
async function byQemu(
  { brain, lastPorts }: Means,
  journey: Preflight,
  cautions: readonly string[],
): Promise<Way> {
  const { vm, host, destination } = journey;
  const waiting = destination ?? (await brain.startDestination(host.host, vm.ref.uuid));
  const endpoint = endpointFor(host, waiting, brain.migrations(), lastPorts.get(host.host));
  lastPorts.set(host.host, endpoint.port);
  return {
    ...{ destination: selectorOf(waiting), endpoint, started: !destination },
    cautions: destination ? cautions : cautionsOf({ ...journey, destination: waiting }),
  };
}

/** Throws OrderError when something stands in the way. */
function cautionsOf(journey: Preflight): readonly string[] {
  const findings = preflight(journey);
  const problem = obstacle(findings);
  if (problem === undefined) return findings.map(({ message }) => message);
  const code = problem.check === 'destination' ? 'NO_DESTINATION' : 'PREFLIGHT';
  throw new OrderError(code, problem.message);
}

async function predict(
  { brain, ruleOf }: Means,
  { vm: name, to, from, objective }: Parameters<Dispatcher['predict']>[0],
): Promise<MigrationPrediction> {
  const vm = runningVm(brain.hosts(), name, from);
  const rule = ruleOf(vm);
  if (rule.mode === 'observe') throw new OrderError('MODE', modeMessages.observe);
  const destinationHost = to === undefined ? undefined : hostNamed(brain.hosts(), to).host;
  const allowed = objectiveOf(rule, objective);
  return brain.predict({ source: selectorOf(vm), destinationHost, objective: allowed });
}

const modeMessages = {
  observe: 'mode observe: for this VM nothing is ever sent; set "mode: act" in the brain\'s file',
  advise:
    'mode advise: nothing was sent; this is what would be done. Set "mode: act" in the brain\'s file',
} as const;

/** A probe only looks; beyond it nothing is sent, and in mode observe not even that. */
async function advise(
  mode: 'observe' | 'advise',
  foresee: () => Promise<MigrationPrediction>,
): Promise<Advice> {
  const refused = { ok: false, code: 'MODE', message: modeMessages[mode] } as const;
  return mode === 'observe' ? refused : { ...refused, advice: await foresee() };
}

function objectiveOf({ objective }: FullRule, given: GivenObjective): Objective {
  return { ...defaultObjective, ...objective, ...given };
}

function selectorOf({ ref, monitor }: VmFacts): VmSelector {
  return { host: ref.host, selector: monitor };
}
