/**
 * Everything the core ever learns comes as one of these, with the time inside. A list of inputs is a
 * recorded migration: the same list through the same policy gives the same decisions, byte for byte.
 */
import type { CommandResult, Endpoint } from '../../shared/command.ts';
import type { Objective } from '../../shared/objective.ts';
import type {
  HostSample,
  MigrationSample,
  ProbeReport,
  VmActivity,
  VmFacts,
} from '../../shared/sample.ts';
import type { Side } from './decision.ts';
import type { Migration } from './migration.ts';

/** Where a figure for the link came from, best first. */
export type LinkProvenance = 'configured' | 'learned' | 'measured' | 'nic' | 'unknown';

/** Wire bandwidth of the path from source to destination, with the range it may lie in. */
export interface LinkEstimate {
  readonly provenance: LinkProvenance;
  readonly bytesPerSecond: number;
  readonly lowBytesPerSecond: number;
  readonly highBytesPerSecond: number;
}

export interface MigrateOrder {
  readonly verb: 'migrate';
  readonly endpoint: Endpoint;
  readonly objective: Objective;
}

/** To follow a migration that somebody else has started; see following.ts. */
export interface FollowOrder {
  readonly verb: 'follow';
  readonly mode: 'observe' | 'advise' | 'act';
  readonly objective: Objective;
  /** Whoever started it chose the way. */
  readonly endpoint?: undefined;
}

export type Order =
  | MigrateOrder
  | FollowOrder
  | { readonly verb: 'abort'; readonly reason: string }
  /** From now on the guest is let run freely and nothing is tuned; what has not begun does not begin. */
  | { readonly verb: 'hold'; readonly reason: string }
  | { readonly verb: 'release' };

export type Input =
  | {
      readonly kind: 'attach';
      readonly atMilliseconds: number;
      readonly side: Side;
      readonly facts: VmFacts;
    }
  | {
      readonly kind: 'detach';
      readonly atMilliseconds: number;
      readonly side: Side;
      readonly reason: string;
    }
  | {
      readonly kind: 'sample';
      readonly atMilliseconds: number;
      readonly side: Side;
      readonly sample: MigrationSample;
    }
  | {
      readonly kind: 'activity';
      readonly atMilliseconds: number;
      readonly activity: VmActivity;
    }
  | {
      readonly kind: 'host';
      readonly atMilliseconds: number;
      readonly side: Side;
      readonly host: HostSample;
    }
  | { readonly kind: 'link'; readonly atMilliseconds: number; readonly link: LinkEstimate }
  | { readonly kind: 'probe'; readonly atMilliseconds: number; readonly probe: ProbeReport }
  | { readonly kind: 'order'; readonly atMilliseconds: number; readonly order: Order }
  | {
      readonly kind: 'result';
      readonly atMilliseconds: number;
      /** Number of the decision that this answers. */
      readonly decision: number;
      readonly result: CommandResult;
    }
  /** Nobody has listened for a while, see rejoin.ts; `known` is what another brain knew then. */
  | {
      readonly kind: 'rejoin';
      readonly atMilliseconds: number;
      readonly silentMilliseconds: number;
      readonly known?: Migration;
    }
  | { readonly kind: 'tick'; readonly atMilliseconds: number };
