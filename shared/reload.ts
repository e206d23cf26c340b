/** SIGHUP: a new configuration takes the place of the old one, or nothing changes at all. */
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

export interface ReloadOptions<Config extends object> {
  readonly log: Log;
  /** What the daemon was started with. */
  readonly started: Config;
  /** Settings that `apply` brings into force; the others wait for the next start. */
  readonly live: readonly (keyof Config)[];
  /** Throws when the new configuration cannot be had, and has then changed nothing. */
  readonly apply: (next: Config) => Promise<void> | void;
}

/** Takes a configuration to load; never rejects. */
export type Reload<Config> = (load: () => Config) => Promise<void>;

/** What was refused and what waits for a restart is said in the log. */
export function createReload<Config extends object>(
  options: ReloadOptions<Config>,
): Reload<Config> {
  const { log, started, live, apply } = options;
  return async (load) => {
    try {
      const next = load();
      await apply(next);
      const waiting = changedKeys(started, next).filter((key) => !live.includes(key));
      log.info({}, 'the configuration was read again');
      if (waiting.length > 0) log.warn({ settings: waiting }, 'these change only with a restart');
    } catch (error) {
      log.error(
        { problem: messageOf(error) },
        'the new configuration cannot be used; the old one stays in force',
      );
    }
  };
}

function changedKeys<Config extends object>(one: Config, other: Config): (keyof Config)[] {
  const keys = Object.keys({ ...one, ...other }) as (keyof Config)[];
  return keys.filter((key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]));
}
