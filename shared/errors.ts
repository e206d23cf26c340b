/** Base of every error that ferryman throws on purpose; `code` is stable and for programs. */
export class FerrymanError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

export type BusErrorCode = 'NO_RESPONDERS' | 'TIMEOUT' | 'DISCONNECTED' | 'REFUSED';

/** A request or connection that failed. REFUSED: the server forbids it, or the payload is too big. */
export class BusError extends FerrymanError {
  declare readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
