/** Looks at every part that a fleet stands on, and names what is wrong, with the remedy. */
import type { BrainStatus } from '../../brain/desk/status.ts';
import type { HostSummary } from '../../brain/desk/views.ts';
import { silentAfterMilliseconds, type Finding } from '../../brain/desk/preflight.ts';
import { BusError, messageOf } from '../../shared/errors.ts';
import { formatMilliseconds } from '../../brain/words/figures.ts';
import { DeskError, type FleetClient } from './client.ts';
import { profileWords } from './profile.ts';

/** `limited`: it works, and could do more; `fault`: something is stopped or stands in the way. */
export type CheckState = 'ok' | 'limited' | 'fault';

export interface Check {
  readonly part:
    'nats' | 'brain' | 'influxdb' | 'agent' | 'profile' | 'probe' | 'cgroup' | 'preflight';
  readonly host?: string;
  readonly state: CheckState;
  readonly message: string;
}

/** Whose way is looked at, when a VM was named. */
export interface PreflightQuestion {
  readonly vm: string;
  readonly to: string;
  readonly from?: string;
  readonly sharedStorage?: boolean;
}

/** The bus answers already when there is a client. */
export async function checkUp(
  fleet: FleetClient,
  question?: PreflightQuestion,
): Promise<readonly Check[]> {
  const nats: Check = { part: 'nats', state: 'ok', message: `answers at ${fleet.url}` };
  const status = await askStatus(fleet);
  if ('part' in status) return [nats, status];
  return [
    nats,
    brainCheck(status),
    historyCheck(status),
    ...agentChecks(status),
    ...(question ? await preflightChecks(fleet, question) : []),
  ];
}

/** What to say when there is not even a bus. */
export function natsFault(error: unknown): Check {
  return { part: 'nats', state: 'fault', message: messageOf(error) };
}

/** The worst of all. */
export function verdictOf(checks: readonly Check[]): CheckState {
  const states = checks.map(({ state }) => state);
  return (['fault', 'limited'] as const).find((state) => states.includes(state)) ?? 'ok';
}

async function askStatus(fleet: FleetClient): Promise<BrainStatus | Check> {
  try {
    return (await fleet.ask<{ status: BrainStatus }>('status')).status;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return { part: 'brain', state: 'fault', message: error.message };
  }
}

function brainCheck({ brain, mode, policy, version, lead }: BrainStatus): Check {
  const meaning = {
    observe: 'it watches and sends nothing',
    advise: 'it says what it would do and changes nothing; set "mode: act" to let it migrate',
    act: 'it migrates and tunes',
  }[mode];
  const message = `${brain} (${version}, policy ${policy}) is in mode ${mode}: ${meaning}`;
  return { part: 'brain', state: 'ok', message: `${message}; ${leadOf(lead)}` };
}

function leadOf(lead: BrainStatus['lead']): string {
  if (lead?.isElected !== true) {
    return 'it is the only one, and must be: without JetStream on nats-server another cannot take over';
  }
  const [first] = lead.standbys;
  return first === undefined
    ? 'it leads, and no other stands by: one with the same file and a name of its own would take over'
    : `it leads, and ${lead.standbys.join(', ')} would take over`;
}

function historyCheck({ history }: BrainStatus): Check {
  const part = 'influxdb';
  if (!history.kept) {
    const message = 'no history is kept; add a section influx to the file of the brain';
    return { part, state: 'limited', message };
  }
  const { url, problem } = history;
  if (problem === undefined) return { part, state: 'ok', message: `answers at ${url}` };
  const message = `${problem}; what happens meanwhile is kept and written later`;
  return { part, state: 'fault', message };
}

function agentChecks({ hosts, missingHosts }: BrainStatus): readonly Check[] {
  const missing = missingHosts.map((host): Check => {
    const message = `host ${host} was never heard: start "ferryman agent" there, on this NATS, or look at its log`;
    return { part: 'agent', host, state: 'fault', message };
  });
  if (hosts.length + missing.length === 0) {
    const message = 'none was heard: start "ferryman agent --config FILE" on each host';
    return [{ part: 'agent', state: 'fault', message }];
  }
  return [...hosts.flatMap(hostChecks), ...missing];
}

function hostChecks({ host, vms, silentMilliseconds, facts }: HostSummary): readonly Check[] {
  if (silentMilliseconds > silentAfterMilliseconds) {
    const message = `host ${host} has been silent for ${formatMilliseconds(silentMilliseconds)}: start its agent, or look at its log`;
    return [{ part: 'agent', host, state: 'fault', message }];
  }
  const observes = facts?.mode === 'observe';
  const note = observes ? '; its host policy says mode: observe, so no command passes' : '';
  const agent: Check = {
    ...{ part: 'agent', host, state: observes ? 'limited' : 'ok' },
    message: `host ${host} is heard, with ${String(vms)} VM${vms === 1 ? '' : 's'}${note}`,
  };
  return [agent, ...profileChecks(host, facts), ...rightChecks(host, facts)];
}

const withoutRight = {
  probe: 'guests cannot be looked at before they move: methods are chosen blindly',
  cgroup: "guests can only be held back by QEMU's own throttle, which acts late and stalls longer",
} as const;

/** Which rights the agent's service was given; whether they are enough, the two that follow tell. */
function profileChecks(host: string, facts: HostSummary['facts']): readonly Check[] {
  if (facts?.privileges === undefined) return [];
  const message = `host ${host}: its agent runs as ${profileWords(facts.privileges)}`;
  return [{ part: 'profile', host, state: 'ok', message }];
}

function rightChecks(host: string, facts: HostSummary['facts']): readonly Check[] {
  if (facts === undefined) return [];
  return (['probe', 'cgroup'] as const).map((part): Check => {
    const lack = facts.lacks.find(({ right }) => right === part);
    if (lack === undefined)
      return { part, host, state: 'ok', message: `host ${host} has the right` };
    const message = `host ${host}: ${lack.reason}. What is lost: ${withoutRight[part]}`;
    return { part, host, state: 'limited', message };
  });
}

async function preflightChecks(
  fleet: FleetClient,
  question: PreflightQuestion,
): Promise<readonly Check[]> {
  const { vm, to } = question;
  const findings = await findingsOf(fleet, question);
  if (findings.length === 0) {
    return [
      { part: 'preflight', state: 'ok', message: `nothing keeps ${vm} from moving to ${to}` },
    ];
  }
  return findings.map(({ severity, message }) => ({
    part: 'preflight',
    state: severity === 'refuse' ? 'fault' : 'limited',
    message,
  }));
}

/** A VM or a host that nobody knows stands in the way like everything else. */
async function findingsOf(
  fleet: FleetClient,
  question: PreflightQuestion,
): Promise<readonly Pick<Finding, 'severity' | 'message'>[]> {
  try {
    return (await fleet.ask<{ findings: readonly Finding[] }>('check', question)).findings;
  } catch (error) {
    if (!(error instanceof DeskError)) throw error;
    return [{ severity: 'refuse', message: error.message }];
  }
}
