import { Command, Option } from 'commander';
import { createLog } from '../../shared/log.ts';
import type { Finish } from '../exit.ts';
import { endpointOption, loopbackOption, policyOption } from '../options.ts';
import { chooseReporter } from '../reporters/choose.ts';
import { addObjectiveOptions, type RunFlags } from '../run-options.ts';
import { runStandalone } from '../standalone.ts';

/** `ferryman run`: its options, defaults and help. `finish` receives the exit code. */
export function runCommand(finish: Finish): Command {
  const command = new Command('run').description(
    'migrate one VM with a bus, two agents and a brain of its own, then end',
  );
  addVmOptions(command);
  command.addOption(policyOption());
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

function addOutputOptions(command: Command): void {
  command
    .option('--nats <url>', 'use this NATS server instead of a private one')
    .option('--record <file>', 'write a trace for `ferryman replay`')
    .addOption(
      new Option('--page [address]', 'serve the live page for as long as it takes')
        .preset('127.0.0.1:0')
        .argParser(loopbackOption),
    )
    .option('--json', 'NDJSON on standard output, the result last');
}
