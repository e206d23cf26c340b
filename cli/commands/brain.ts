import type { Command } from 'commander';
import { runBrain } from '../../brain/main.ts';
import { loadBrainConfig } from '../../shared/config.ts';
import { daemonCommand } from '../daemon.ts';
import type { Finish } from '../exit.ts';

/** `ferryman brain`. */
export function brainCommand(finish: Finish): Command {
  return daemonCommand(finish, {
    name: 'brain',
    description: 'decide for the migrations that the agents see',
    load: loadBrainConfig,
    run: runBrain,
  });
}
