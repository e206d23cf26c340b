/** Block I/O of a VM, from query-blockstats. */
import type { Monitor } from '../monitor/monitor.ts';
import { asFields, asFieldsList, countField } from './fields.ts';

/** Since the VM started, all its devices added. */
export interface BlockCounters {
  readonly blockReadBytes: number;
  readonly blockWrittenBytes: number;
  /** Reads, writes and flushes: a database that commits is I/O-sensitive at few bytes. */
  readonly blockOperations: number;
}

/**
 * Parses the reply of query-blockstats. Only the devices are counted: the `parent` and `backing`
 * nodes below them see the same requests again.
 */
export function parseBlockCounters(reply: unknown): BlockCounters {
  const devices = asFieldsList(reply).map((device) => asFields(device['stats']) ?? {});
  const sum = (...names: readonly string[]) =>
    devices
      .flatMap((stats) => names.map((name) => countField(stats, name) ?? 0))
      .reduce((total, value) => total + value, 0);
  return {
    blockReadBytes: sum('rd_bytes'),
    blockWrittenBytes: sum('wr_bytes'),
    blockOperations: sum('rd_operations', 'wr_operations', 'flush_operations'),
  };
}

/** Throws what the monitor throws. */
export async function readBlockCounters(monitor: Monitor): Promise<BlockCounters> {
  return parseBlockCounters(await monitor.execute('query-blockstats'));
}
