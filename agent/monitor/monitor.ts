/**
 * One VM's monitor, whatever is behind it: a QMP socket, or libvirt's virsh.
 * Every call has a timeout; a call on a lost connection rejects at once.
 */
import type { Family, VmOwner } from '../../shared/sample.ts';

export interface MonitorEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Unix time at which this process received it. */
  readonly atMilliseconds: number;
}

/** Whoever runs the QEMU and begins its migrations, where that is not ferryman. */
export interface Owner {
  readonly name: VmOwner;
  /** Parameters that it sets when it starts a migration, and puts back afterwards. */
  readonly sets: ReadonlySet<string>;
  /** What it can begin a migration in. */
  readonly families: readonly Family[];
}

export interface Monitor {
  /** A stable name of this monitor, e.g. the socket path. */
  readonly address: string;
  readonly owner?: Owner;
  /** Throws ExecuteError (QEMU refused), TimeoutError, ConnectionLostError, BadReplyError. */
  execute(
    command: string,
    commandArguments?: object,
    timeoutMilliseconds?: number,
  ): Promise<unknown>;
  onEvent(listener: (event: MonitorEvent) => void): void;
  /** Called once, when the connection ends, with the reason. */
  onClose(listener: (reason: Error) => void): void;
  close(): void;
}
