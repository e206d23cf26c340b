/** Where `history` and `report` read: options, FERRYMAN_* variables, or a brain's configuration. */
import { Option, type Command } from 'commander';
import type { InfluxSettings } from '../brain/history/influx.ts';
import { loadBrainConfig } from '../shared/config.ts';
import { readSecret } from '../shared/config/file.ts';
import { ExitError, exitCodes } from './exit.ts';

/** As commander hands them over. */
export interface InfluxFlags {
  readonly config?: string;
  readonly influx?: string;
  readonly influxFlavor: InfluxSettings['flavor'];
  readonly influxDatabase: string;
  readonly influxTokenFile?: string;
}

/** Adds them to a command. */
export function addInfluxOptions(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', "a brain's configuration, whose database is read"))
    .addOption(new Option('--influx <url>', 'the database of history').env('FERRYMAN_INFLUX_URL'))
    .addOption(
      new Option('--influx-flavor <version>', 'its generation')
        .choices(['v1', 'v2', 'v3'])
        .default('v1')
        .env('FERRYMAN_INFLUX_FLAVOR'),
    )
    .addOption(
      new Option('--influx-database <name>', 'the database or bucket')
        .default('ferryman')
        .env('FERRYMAN_INFLUX_DATABASE'),
    )
    .addOption(
      new Option(
        '--influx-token-file <file>',
        'a token that may read, or user:password for 1.x',
      ).env('FERRYMAN_INFLUX_TOKEN_FILE'),
    );
}

/** Throws ConfigError, and ExitError (usage) when nothing says where history is. */
export function influxOf(flags: InfluxFlags): InfluxSettings {
  if (flags.config !== undefined) {
    const over = flags.influx === undefined ? {} : { 'influx.url': flags.influx };
    const { influx } = loadBrainConfig(flags.config, process.env, over);
    if (influx !== undefined) return influx;
    throw new ExitError(exitCodes.usage, `${flags.config} names no influx: no history is kept.`);
  }
  if (flags.influx === undefined) {
    const remedy = 'name its database: --influx http://HOST:8086, or --config BRAIN.yaml';
    throw new ExitError(exitCodes.usage, `Where is the history? Please ${remedy}.`);
  }
  return {
    flavor: flags.influxFlavor,
    url: flags.influx,
    database: flags.influxDatabase,
    ...(flags.influxTokenFile !== undefined && { token: readSecret(flags.influxTokenFile) }),
  };
}
