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
  const counters = { blockReadBytes: 0, blockWrittenBytes: 0, blockOperations: 0 };
  for (const device of asFieldsList(reply)) {
    const stats = asFields(device['stats']) ?? {};
    const count = (name: string) => countField(stats, name) ?? 0;
    counters.blockReadBytes += count('rd_bytes');
    counters.blockWrittenBytes += count('wr_bytes');
    counters.blockOperations +=
      count('rd_operations') + count('wr_operations') + count('flush_operations');
  }
  return counters;
}

/** Throws what the monitor throws. */
export async function readBlockCounters(monitor: Monitor): Promise<BlockCounters> {
  return parseBlockCounters(await monitor.execute('query-blockstats'));
}
