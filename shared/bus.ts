/**
 * The bus as a port: telemetry is published at most once, commands are request and reply.
 * `natsBus` is the real one; `memoryBus` is its in-process twin for tests.
 */
export interface Bus {
  /** Returns false when the connection is away and the message was therefore not sent. */
  publish(subject: string, payload: Uint8Array): boolean;
  /** Subjects may hold NATS wildcards. */
  subscribe(subject: string, handler: (subject: string, payload: Uint8Array) => void): Subscription;
  /** Answers requests; the handler's result is the reply, undefined leaves the request to others. */
  serve(
    subject: string,
    handler: (payload: Uint8Array) => Promise<Uint8Array | undefined>,
  ): Subscription;
  /** Throws `BusError` with code NO_RESPONDERS, TIMEOUT or DISCONNECTED. */
  request(subject: string, payload: Uint8Array, timeoutMilliseconds: number): Promise<Uint8Array>;
  readonly connected: boolean;
  onConnectionChange(listener: (connected: boolean) => void): void;
  close(): Promise<void>;
}

export interface Subscription {
  stop(): void;
}
