/**
 * One VM's monitor, whatever is behind it: a QMP socket, or libvirt's virsh.
 * Every call has a timeout; a call on a lost connection rejects at once.
 */
export interface MonitorEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Unix time at which this process received it. */
  readonly atMilliseconds: number;
}

export interface Monitor {
  /** A stable name of this monitor, e.g. the socket path. */
  readonly address: string;
  /** Parameters that the VM's owner sets when it starts a migration; absent means that nobody knows. */
  readonly setByOwner?: ReadonlySet<string>;
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
