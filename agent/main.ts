/** The agent as a daemon: wiring from configuration, no logic. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bus } from '../shared/bus.ts';
import { systemClock } from '../shared/clock.ts';
import type { AgentConfig } from '../shared/config.ts';
import { ConfigError } from '../shared/config/file.ts';
import { messageOf } from '../shared/errors.ts';
import { createLog, withFields, type Log } from '../shared/log.ts';
import { startMonitoring } from '../shared/monitoring.ts';
import { natsBus } from '../shared/nats-bus.ts';
import { createReload, type Reload } from '../shared/reload.ts';
import { inboxPrefix } from '../shared/subjects.ts';
import { createAgent } from './agent.ts';
import { agentMetrics, type AgentMetrics, type AgentSources } from './metrics.ts';
import { hostPolicy, loadPolicy, type HostPolicy } from './host/policy-file.ts';

/** A running daemon. */
export interface RunningAgent {
  readonly reload: Reload<AgentConfig>;
  /** Lets go of every VM, then leaves the bus. */
  stop(): Promise<void>;
}

/**
 * Starts the agent of this host, as soon as NATS is there; without a policy file the cautious
 * defaults hold. Throws PolicyError, JournalError, BusError, ConfigError.
 */
export async function runAgent(config: AgentConfig): Promise<RunningAgent> {
  const adjustable = createLog('agent', config.logLevel);
  const log = withFields(adjustable, { host: config.host });
  const policy = policyOf(config);
  let sources: AgentSources | undefined;
  const metrics = agentMetrics(() => sources);
  const monitoring =
    config.monitoring &&
    (await startMonitoring({
      ...config.monitoring,
      registry: metrics.meter.registry,
      log,
      checks: () => ({ nats: sources?.bus.connected === true }),
    }));
  try {
    sources = await startParts(config, policy, log, metrics);
  } catch (error) {
    await monitoring?.stop();
    throw error;
  }
  const { agent, bus } = sources;
  log.info({}, 'the agent runs');
  const apply = async (next: AgentConfig) => {
    await agent.adopt(policyOf(next));
    adjustable.setLevel(next.logLevel ?? 'info');
  };
  return {
    reload: createReload({ log, started: config, live: ['logLevel', 'policyFile'], apply }),
    async stop() {
      log.info({}, 'the agent lets go of its VMs and stops');
      await agent.stop();
      await bus.close();
      await monitoring?.stop();
    },
  };
}

/** The host policy that a configuration names. Throws PolicyError. */
export function policyOf({ policyFile }: AgentConfig): HostPolicy {
  return policyFile === undefined ? hostPolicy({}) : loadPolicy(policyFile);
}

/** Throws ConfigError. */
function makeStateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
  } catch (thrown) {
    const remedy = "name another in stateDirectory, or let the agent's user write there";
    throw new ConfigError(
      path,
      `cannot keep the agent's journal (${messageOf(thrown)}): ${remedy}`,
    );
  }
}

async function startParts(
  { host, nats, qmp, libvirt, stateDirectory }: AgentConfig,
  policy: HostPolicy,
  log: Log,
  { onAnswer }: AgentMetrics,
): Promise<AgentSources> {
  makeStateDirectory(stateDirectory);
  const bus: Bus = await natsBus({
    ...nats,
    name: `ferryman-agent-${host}`,
    inboxPrefix: inboxPrefix('agent', host),
    waitOnFirstConnect: true,
    log,
  });
  const agent = createAgent({
    host,
    bus,
    clock: systemClock,
    log,
    ...qmp,
    ...(libvirt && { libvirt }),
    policy,
    onAnswer,
    journalPath: join(stateDirectory, 'journal'),
    logDirectory: join(stateDirectory, 'destinations'),
  });
  try {
    await agent.start();
    return { agent, bus };
  } catch (error) {
    await bus.close();
    throw error;
  }
}
