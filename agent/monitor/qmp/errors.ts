import { FerrymanError } from '../../../shared/errors.ts';

/** What can go wrong with a monitor; every message names the monitor and the remedy, if there is one. */
export type MonitorErrorCode =
  'GREETING' | 'NEGOTIATION' | 'EXECUTE' | 'TIMEOUT' | 'CONNECTION_LOST' | 'BAD_REPLY';

/** The root of all monitor errors; `code` is stable, the message is for people. */
export class MonitorError extends FerrymanError {
  declare readonly code: MonitorErrorCode;
  readonly address: string;

  constructor(code: MonitorErrorCode, address: string, what: string, cause?: unknown) {
    super(code, `${address}: ${what}`, cause === undefined ? undefined : { cause });
    this.address = address;
  }
}

/** Connected, but nothing that speaks QMP answered. */
export class GreetingError extends MonitorError {
  constructor(address: string, timeoutMilliseconds: number) {
    super(
      'GREETING',
      address,
      `no QMP greeting within ${String(timeoutMilliseconds)} ms: another client holds this ` +
        'monitor (QEMU serves one at a time), QEMU hangs, or it is not QMP; ' +
        'give QEMU a -qmp socket of its own for ferryman',
    );
  }
}

/** QEMU greeted, and then did not accept qmp_capabilities. */
export class NegotiationError extends MonitorError {
  constructor(address: string, cause: Error) {
    super('NEGOTIATION', address, `qmp_capabilities did not succeed: ${cause.message}`, cause);
  }
}

/** QEMU understood the command and refused it: nothing was changed. */
export class ExecuteError extends MonitorError {
  readonly command: string;
  /** QEMU's error class, e.g. `GenericError`, `CommandNotFound`. */
  readonly class: string;
  /** QEMU's own words. */
  readonly description: string;

  constructor(address: string, command: string, errorClass: string, description: string) {
    super('EXECUTE', address, `${command} was refused: ${description} (${errorClass})`);
    this.command = command;
    this.class = errorClass;
    this.description = description;
  }
}

/** No reply in time. The command may still take effect: its outcome is unknown. */
export class TimeoutError extends MonitorError {
  readonly command: string;

  constructor(address: string, command: string, timeoutMilliseconds: number) {
    super('TIMEOUT', address, `${command} was not answered in ${String(timeoutMilliseconds)} ms`);
    this.command = command;
  }
}

/** The connection ended or never came about. A command that was under way has an unknown outcome. */
export class ConnectionLostError extends MonitorError {
  constructor(address: string, what: string, cause?: unknown) {
    super('CONNECTION_LOST', address, what, cause);
  }
}

/** What arrived is no QMP, or an answer that makes no sense. */
export class BadReplyError extends MonitorError {
  constructor(address: string, what: string, cause?: unknown) {
    super('BAD_REPLY', address, `bad reply: ${what}`, cause);
  }
}
