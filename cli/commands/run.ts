import { Command, Option } from 'commander';
import { defaultObjective } from '../../shared/objective.ts';
import { createLog } from '../../shared/log.ts';
import type { Finish } from '../exit.ts';
import {
  bandwidthOption,
  deadlineOption,
  downtimeOption,
  endpointOption,
  percentOption,
  policyOption,
} from '../options.ts';
import { chooseReporter } from '../reporters/choose.ts';
import type { RunFlags } from '../run-options.ts';
import { runStandalone } from '../standalone.ts';

/** `ferryman run`: its options, defaults and help. `finish` receives the exit code. */
export function runCommand(finish: Finish): Command {
  const command = new Command('run').description(
    'migrate one VM with a bus, two agents and a brain of its own, then end',
  );
  addVmOptions(command);
  addObjectiveOptions(command);
  addOutputOptions(command);
  return command.action(async (flags: RunFlags) => {
    const reporter = chooseReporter({
      json: flags.json ?? false,
      output: process.stdout,
      messages: process.stderr,
      environment: process.env,
    });
    finish(await runStandalone(flags, reporter, createLog('run', 'silent')));
  });
}

function addVmOptions(command: Command): void {
  command
    .requiredOption('--source-qmp <path>', 'QMP socket of the QEMU that runs the VM')
    .requiredOption('--destination-qmp <path>', 'QMP socket of the QEMU that waits for it')
    .requiredOption(
      '--uri <uri>',
      'where the destination listens: tcp:HOST:PORT or unix:PATH',
      endpointOption,
    )
    .option(
      '--destination-command <command>',
      'starts a fresh destination QEMU on the same sockets, so that a restart with another method is possible',
    );
}

function addObjectiveOptions(command: Command): void {
  const { downtimeLimitMilliseconds, maxThrottlePercent, deadlineMilliseconds } = defaultObjective;
  command
    .addOption(policyOption())
    .addOption(
      new Option('--downtime-limit <duration>', 'how long the guest may pause at the switchover')
        .default(downtimeLimitMilliseconds, `${String(downtimeLimitMilliseconds)}ms`)
        .argParser(downtimeOption),
    )
    .addOption(
      new Option('--max-throttle <percent>', 'how far the guest may be held back')
        .default(maxThrottlePercent, `${String(maxThrottlePercent)}%`)
        .argParser(percentOption),
    )
    .addOption(
      new Option('--throttle <means>', 'what holds it back')
        .choices(['auto', 'qemu', 'cgroup'])
        .default('auto'),
    )
    .option('--io-sensitive', 'the guest must answer interrupts promptly: prefer short pauses')
    .addOption(
      new Option('--deadline <duration>', 'give up when it takes longer')
        .default(deadlineMilliseconds, `${String(deadlineMilliseconds / 1000)}s`)
        .argParser(deadlineOption),
    )
    .addOption(
      new Option('--post-copy <when>', 'whether post-copy may be used')
        .choices(['never', 'last-resort'])
        .default('never'),
    )
    .option('--max-bandwidth <rate>', 'a cap on migration traffic', bandwidthOption)
    .option('--link-bandwidth <rate>', 'what the link gives, as a hint', bandwidthOption);
}

function addOutputOptions(command: Command): void {
  command
    .option('--nats <url>', 'use this NATS server instead of a private one')
    .option('--record <file>', 'write a trace for `ferryman replay`')
    .option('--json', 'NDJSON on standard output, the result last');
}
