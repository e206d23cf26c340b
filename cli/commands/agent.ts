import type { Command } from 'commander';
import { policyOf, runAgent } from '../../agent/main.ts';
import { loadAgentConfig } from '../../shared/config.ts';
import { daemonCommand } from '../daemon.ts';
import type { Finish } from '../exit.ts';

/** `ferryman agent`. */
export function agentCommand(finish: Finish): Command {
  return daemonCommand(finish, {
    name: 'agent',
    description: "watch this host's QEMU processes and carry out what a brain decides",
    load: loadAgentConfig,
    check: policyOf,
    run: runAgent,
  });
}
