/** `ferryman nkey`: a key of its own for an agent, a brain or an operator, and what it may do on NATS. */
import { writeFileSync } from 'node:fs';
import { Argument, Command } from 'commander';
import { nkeys } from 'nats';
import { messageOf } from '../../shared/errors.ts';
import { ExitError, exitCodes, type Finish } from '../exit.ts';
import { natsUser, parts, type Part } from '../nats-users.ts';

interface NkeyFlags {
  readonly seedFile: string;
}

/** `ferryman nkey`. The seed never leaves the file; the public key is no secret. */
export function nkeyCommand(finish: Finish): Command {
  return new Command('nkey')
    .description('make a key for NATS, and print the user block that belongs to it')
    .addArgument(new Argument('<part>', 'who will use it').choices(parts))
    .argument('<id>', 'the host of an agent, the name of a brain or of an operator')
    .requiredOption('--seed-file <file>', 'where the secret half goes; must not exist yet')
    .action((part: Part, id: string, { seedFile }: NkeyFlags) => {
      const pair = nkeys.createUser();
      const user = natsUser(part, id, pair.getPublicKey());
      writeSeed(seedFile, pair.getSeed());
      process.stdout.write(user);
      finish(exitCodes.ok);
    });
}

/** Never over a seed that is in use. */
function writeSeed(file: string, seed: Uint8Array): void {
  try {
    writeFileSync(file, `${new TextDecoder().decode(seed)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new ExitError(exitCodes.usage, `the seed cannot be written: ${messageOf(error)}`);
  }
}
