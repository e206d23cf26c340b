/** The messages on the wire, as the codec hands them out. Times are Unix milliseconds of the sender. */
import type { Command, CommandResult } from './command.ts';
import type { HostFacts } from './host-facts.ts';
import type { HostSample, MigrationSample, QemuRef, VmActivity, VmFacts } from './sample.ts';

/** Every telemetry message says who speaks, in which life, and where in the stream it stands. */
export interface TelemetryHeader {
  readonly host: string;
  readonly agentBoot: string;
  /** Grows by one per message of this agent's life; a gap means that something was lost. */
  readonly sequence: number;
  readonly atMilliseconds: number;
  /** The agent's monotonic clock, for command expiry. */
  readonly agentMilliseconds: number;
}

export type TelemetryBody =
  | { readonly kind: 'attach'; readonly facts: VmFacts }
  | { readonly kind: 'detach'; readonly ref: QemuRef; readonly reason: string }
  | { readonly kind: 'migration'; readonly ref: QemuRef; readonly sample: MigrationSample }
  | { readonly kind: 'activity'; readonly ref: QemuRef; readonly activity: VmActivity }
  | { readonly kind: 'host'; readonly sample: HostSample; readonly facts?: HostFacts }
  | {
      readonly kind: 'event';
      readonly ref: QemuRef;
      readonly name: string;
      readonly detail: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'alert'; readonly ref?: QemuRef; readonly message: string };

export interface Telemetry {
  readonly header: TelemetryHeader;
  readonly body: TelemetryBody;
}

/**
 * Events of ferryman's own: a VM is on its way in and cannot be asked yet; its process is 0, its
 * `monitor` the one it will have. It is attached when it has arrived, or does not come any more.
 */
export const incomingEvent = 'INCOMING';
export const notIncomingEvent = 'NOT_INCOMING';

/** The brain's beacon: agents that miss it for 5 s order their throttles to the floor. */
export interface Beacon {
  readonly epoch: number;
  readonly brain: string;
}

export type { Command, CommandResult };
