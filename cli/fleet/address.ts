/** Where the fleet's NATS is, and how commands log in there. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { loadClientConfig } from '../../shared/config/client.ts';
import type { NatsConfig } from '../../shared/config/nats.ts';
import { parseNatsAddress } from '../nats-address.ts';

/** What every command of the fleet understands. */
export interface FleetFlags {
  readonly nats?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds these options to a command. */
export function addFleetOptions(command: Command, json: string): Command {
  return command
    .option('--nats <url>', 'the NATS server of the fleet; also FERRYMAN_NATS_URL or the file')
    .addOption(
      new Option('--config <file>', 'YAML file with a section nats').default(
        undefined,
        '~/.config/ferryman/ferryman.yaml, else /etc/ferryman/ferryman.yaml',
      ),
    )
    .option('--json', json);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ConfigError, and ExitError for a --nats that is no address. */
export function natsOf({ nats, config }: FleetFlags, environment: Environment): NatsConfig {
  // An address on the command line may hold the login, one in a file may not.
  const isWhole = nats?.includes('@') === true;
  if (nats !== undefined && isWhole) return parseNatsAddress(nats);
  const file = config ?? usualFiles(environment).find((path) => existsSync(path));
  return loadClientConfig(file, environment, nats).nats;
}

function usualFiles(environment: Environment): readonly string[] {
  const own = environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  return [join(own, 'ferryman/ferryman.yaml'), '/etc/ferryman/ferryman.yaml'];
}
