/**
 * What may be done to a VM: a closed union of typed operations, all absolute ("set to"), none of
 * them a string for a shell or a monitor. The agent's gate refuses whatever its tables do not allow.
 */
import type { Family, ProbeReport, QemuRef, ThrottleMechanism, VmFacts } from './sample.ts';

/** How one libvirt reaches another. */
export const libvirtTransports = ['tls', 'tcp', 'ssh'] as const;

/** The system libvirt of a host, as those of other hosts reach it. */
export interface LibvirtPlace {
  readonly transport: (typeof libvirtTransports)[number];
  readonly host: string;
  /** The transport's usual one when absent. */
  readonly port?: number;
}

/**
 * Where the migration stream goes: to a QEMU that waits, or to a libvirt that makes one. The agent
 * builds the URI from it; exec:, fd: and file: cannot be said.
 */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | ({ readonly kind: 'libvirt' } & LibvirtPlace);

/** Settings frozen at start. Both sides get the same arming. */
export interface Arming {
  readonly family: Family;
  readonly autoConverge: boolean;
  readonly postCopy: boolean;
  readonly xbzrleCacheBytes?: number;
  readonly multifdChannels?: number;
  readonly compressionLevel?: number;
  readonly compressThreads?: number;
}

/** Parameters that act in flight; only those present are sent, all in one call. */
export interface Tuning {
  readonly downtimeLimitMilliseconds?: number;
  readonly maxBandwidthBytesPerSecond?: number;
  /** 0 gives the decision back to QEMU. */
  readonly availSwitchoverBandwidthBytesPerSecond?: number;
  readonly maxPostcopyBandwidthBytesPerSecond?: number;
  readonly autoConverge?: AutoConvergeSettings;
}

/** QEMU's throttle parameters. `initial = max = level, increment 99, threshold 1` is a set-point. */
export interface AutoConvergeSettings {
  readonly initialPercent: number;
  readonly incrementPercent: number;
  readonly maxPercent: number;
  readonly triggerThresholdPercent: number;
}

export type Operation =
  | { readonly kind: 'probe'; readonly budgetMilliseconds: number }
  | { readonly kind: 'start-destination'; readonly family: Family }
  | { readonly kind: 'arm'; readonly arming: Arming; readonly tuning: Tuning }
  | { readonly kind: 'listen'; readonly endpoint: Endpoint }
  | { readonly kind: 'migrate'; readonly endpoint: Endpoint }
  | { readonly kind: 'tune'; readonly tuning: Tuning }
  /** Absolute; 0 releases. By `qemu` it is a set-point for the next qualifying sync. */
  | { readonly kind: 'throttle'; readonly percent: number; readonly mechanism: ThrottleMechanism }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'start-postcopy' }
  | { readonly kind: 'recover-destination'; readonly endpoint: Endpoint }
  | { readonly kind: 'resume'; readonly endpoint: Endpoint }
  /** Puts capabilities and parameters back as they were at attach and releases every throttle. */
  | { readonly kind: 'restore' };

export type OperationKind = Operation['kind'];

/** An operation on its way to one VM on one host. */
export interface Command {
  readonly id: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly target: QemuRef;
  /** On the target agent's own monotonic clock (echoed from its telemetry); refused after it. */
  readonly expiresAtAgentMilliseconds: number;
  readonly operation: Operation;
}

export type CommandOutcome = 'applied' | 'refused' | 'failed' | 'indeterminate';

/** What became of a command; `reason` is for people and names the rule that refused. */
export interface CommandResult {
  readonly id: string;
  readonly outcome: CommandOutcome;
  readonly reason?: string;
  /** What `probe` found. */
  readonly probe?: ProbeReport;
  /** What `start-destination` brought up. */
  readonly facts?: VmFacts;
  /** What an operation set, as read back from QEMU, e.g. {"downtime-limit": "300"}. */
  readonly applied?: Readonly<Record<string, string>>;
}
