/** How the brain itself is doing, and what it stands on, for `ferryman doctor`. */
import { messageOf } from '../../shared/errors.ts';
import type { InfluxConfig } from '../../shared/config.ts';
import type { Mode } from '../../shared/config/vms.ts';
import type { LeadStatus } from '../chair.ts';
import type { HostSummary } from './views.ts';

/** Whether history is kept, where, and what stands in its way. */
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

/** A database on the next host answers within milliseconds. */
const pingMilliseconds = 1_500;

/** Asks the database whether it is there; what it says of itself does not matter. */
export async function historyStatus(influx: InfluxConfig | undefined): Promise<HistoryStatus> {
  if (influx === undefined) return { kept: false };
  const { url } = influx;
  try {
    const reply = await fetch(new URL('ping', withSlash(url)), {
      signal: AbortSignal.timeout(pingMilliseconds),
    });
    if (reply.status < 500) return { kept: true, url };
    return { kept: true, url, problem: `it answers with status ${String(reply.status)}` };
  } catch (error) {
    return { kept: true, url, problem: causeOf(error) };
  }
}

const withSlash = (url: string) => (url.endsWith('/') ? url : `${url}/`);

/** fetch only says that it failed; why is in the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
