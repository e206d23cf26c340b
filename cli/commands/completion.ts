import { Argument, Command } from 'commander';
import { completionScript, shells, type Shell } from '../completion.ts';
import { exitCodes, type Finish } from '../exit.ts';

/** `ferryman completion`: a script for the operator's shell. */
export function completionCommand(finish: Finish): Command {
  const command = new Command('completion');
  return command
    .description('print the completion script of a shell: source <(ferryman completion bash)')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(command.parent ?? command, shell));
      finish(exitCodes.ok);
    });
}
