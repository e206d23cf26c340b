/** The agent as a daemon: wiring from configuration, no logic. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import type { AgentConfig } from '../shared/config.ts';
import { createLog } from '../shared/log.ts';
import { natsBus } from '../shared/nats-bus.ts';
import { createAgent } from './agent.ts';
import { hostPolicy, loadPolicy } from './policy-file.ts';

/** A running daemon. `stop` lets go of every VM, then leaves the bus. */
export interface RunningAgent {
  stop(): Promise<void>;
}

/**
 * Starts the agent of this host, as soon as NATS is there; without a policy file the cautious
 * defaults hold. Throws PolicyError, JournalError, BusError.
 */
export async function runAgent(config: AgentConfig): Promise<RunningAgent> {
  const { host, nats, qmp, stateDirectory, policyFile } = config;
  const log = createLog('agent');
  const policy = policyFile === undefined ? hostPolicy({}) : loadPolicy(policyFile);
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const name = `ferryman-agent-${host}`;
  const bus = await natsBus({ ...nats, name, waitOnFirstConnect: true, log });
  const agent = createAgent({
    host,
    bus,
    clock: systemClock,
    log,
    ...qmp,
    policy,
    journalPath: join(stateDirectory, 'journal'),
    logDirectory: join(stateDirectory, 'destinations'),
  });
  try {
    await agent.start();
  } catch (error) {
    await bus.close();
    throw error;
  }
  log.info({ host }, 'the agent runs');
  return {
    async stop() {
      await agent.stop();
      await bus.close();
    },
  };
}
