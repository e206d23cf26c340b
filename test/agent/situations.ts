/** Plain facts, commands and contexts for tests of the agent's acting half. */
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import type { GateContext } from '../../agent/commands/gate.ts';
import type { Situation } from '../../agent/commands/situation.ts';
import type { Arming, Command, Operation } from '../../shared/command.ts';
import type { VmFacts } from '../../shared/sample.ts';

export const ref = { host: 'h1', agentBoot: 'boot-1', qemuPid: 42, uuid: 'u-1' };

export const facts: VmFacts = {
  ref,
  name: 'web-1',
  monitor: '/run/vm.sock',
  qemuVersion: '7.2.22',
  runState: 'running',
  migrationStatus: 'none',
  ramBytes: 1024 ** 3,
  pageBytes: 4096,
  vcpus: 1,
  families: ['plain', 'xbzrle', 'multifd', 'multifd-zstd', 'compress'],
  postCopyFamilies: ['plain', 'xbzrle'],
  liveSettings: ['downtime-limit', 'max-bandwidth', 'max-postcopy-bandwidth', 'throttle'],
  throttles: [
    { mechanism: 'qemu', lag: 'next-sync', perVcpu: false },
    { mechanism: 'cgroup', lag: 'immediate', perVcpu: true },
  ],
  canProbe: true,
  canStartDestination: false,
  timerSync: false,
  idleCpuCores: 2,
  freeMemoryBytes: 4 * 1024 ** 3,
};

export const plainArming: Arming = { family: 'plain', autoConverge: true, postCopy: false };

export function situation(
  overrides: Partial<VmFacts> = {},
  rest: Partial<Omit<Situation, 'facts'>> = {},
): Situation {
  return { facts: { ...facts, ...overrides }, postCopyRequested: false, ...rest };
}

/** A VM amid pre-copy, armed with post-copy. */
export function migrating(rest: Partial<Omit<Situation, 'facts'>> = {}): Situation {
  const armed = { ...plainArming, postCopy: true };
  return situation({ migrationStatus: 'active' }, { armed, ...rest });
}

export function context(overrides: Partial<GateContext> = {}): GateContext {
  return {
    host: 'h1',
    agentBoot: 'boot-1',
    nowAgentMilliseconds: 1000,
    policy: standalonePolicy({ postCopy: true, maxThrottlePercent: 90 }),
    highestEpoch: 3,
    isKnownId: false,
    brainIsSilent: false,
    vm: situation(),
    ...overrides,
  };
}

export function command(operation: Operation, overrides: Partial<Command> = {}): Command {
  return {
    id: 'm1.1',
    epoch: 3,
    sequence: 5,
    target: ref,
    expiresAtAgentMilliseconds: 1500,
    operation,
    ...overrides,
  };
}
