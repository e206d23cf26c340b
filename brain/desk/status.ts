/** How the brain itself is doing, and what it stands on, for `ferryman doctor`. */
import type { InfluxConfig } from '../../shared/config.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Mode } from '../../shared/config/vms.ts';
import type { LeadStatus } from '../leadership/chair.ts';
import { checkWritable } from '../history/influx.ts';
import type { HostSummary } from './views.ts';

/** Whether history is kept, where, and what stands in its way, with the remedy. */
export type HistoryStatus =
  | { readonly kept: false }
  | { readonly kept: true; readonly url: string; readonly problem?: string };

export interface BrainStatus {
  readonly brain: string;
  readonly mode: Mode;
  readonly policy: string;
  readonly version: string;
  /** Absent: this brain is the only one. */
  readonly lead?: LeadStatus;
  readonly history: HistoryStatus;
  readonly hosts: readonly HostSummary[];
  /** Hosts of the configuration of which nothing was heard. */
  readonly missingHosts: readonly string[];
}

/** Asks the database whether it is there and takes what is written, without writing anything. */
export async function historyStatus(influx: InfluxConfig | undefined): Promise<HistoryStatus> {
  if (influx === undefined) return { kept: false };
  const { url } = influx;
  try {
    await checkWritable(influx);
    return { kept: true, url };
  } catch (error) {
    return { kept: true, url, problem: messageOf(error) };
  }
}
