import type { Endpoint } from '../shared/command.ts';
import { defaultObjective, type Objective } from '../shared/objective.ts';

/** `ferryman run` as commander hands it over: quantities already in base units. */
export interface RunFlags {
  readonly sourceQmp: string;
  readonly destinationQmp: string;
  readonly uri: Endpoint;
  readonly policy: string;
  readonly downtimeLimit: number;
  readonly maxThrottle: number;
  readonly throttle: Objective['throttle'];
  readonly ioSensitive?: boolean;
  readonly deadline: number;
  readonly postCopy: Objective['postCopy'];
  readonly maxBandwidth?: number;
  readonly linkBandwidth?: number;
  readonly destinationCommand?: string;
  readonly nats?: string;
  readonly record?: string;
  readonly json?: boolean;
}

/** What the flags allow the brain to do with this VM. */
export function objectiveOf(flags: RunFlags): Objective {
  return {
    ...defaultObjective,
    downtimeLimitMilliseconds: flags.downtimeLimit,
    maxThrottlePercent: flags.maxThrottle,
    throttle: flags.throttle,
    ioSensitive: flags.ioSensitive ?? false,
    deadlineMilliseconds: flags.deadline,
    postCopy: flags.postCopy,
    ...(flags.maxBandwidth === undefined ? {} : { maxBandwidthBytesPerSecond: flags.maxBandwidth }),
    ...(flags.linkBandwidth === undefined
      ? {}
      : { linkBandwidthBytesPerSecond: flags.linkBandwidth }),
  };
}
