/** What a configuration wants to hang off the service: history and live page. */
import type { BrainConfig } from '../shared/config.ts';
import type { Log } from '../shared/log.ts';
import type { NatsBusOptions } from '../shared/nats-bus.ts';
import { openHistory, type History } from './history/history.ts';
import type { Chair } from './leadership/chair.ts';
import type { Listener } from './listeners.ts';
import { openPage, type Page } from './page/server.ts';

export interface Onlookers {
  readonly history?: History;
  readonly page?: Page;
  /** Give these to the service. */
  readonly listeners: readonly Listener[];
  /** Writes the rest of the history. */
  close(): Promise<void>;
}

/**
 * Opens what is asked for; of several brains only the one that leads reads the stream of history.
 * Throws BusError, ConfigError when the page's address is taken.
 */
export async function openOnlookers(
  { influx, page: address, brain: id }: BrainConfig,
  nats: Omit<NatsBusOptions, 'name'>,
  log: Log,
  { epoch, standby }: Pick<Chair, 'epoch' | 'standby'>,
): Promise<Onlookers> {
  const page = address && (await openPage({ address, log, standby }));
  const leads = () => epoch() !== undefined;
  const history =
    influx &&
    (await openHistory(
      { influx, brain: id, log, leads },
      { ...nats, name: `ferryman-history-${id}` },
    ));
  return {
    ...(history && { history }),
    ...(page && { page }),
    listeners: [history, page].flatMap((each) => each?.listener ?? []),
    close: async () => {
      await page?.close();
      await history?.close();
    },
  };
}
