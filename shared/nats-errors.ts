/** The NATS client's errors as ours, each with a remedy where there is one. */
import { errors } from 'nats';
import { BusError, messageOf } from './errors.ts';

/** Of the first connection. */
export function connectError(url: string, thrown: unknown): BusError {
  const options = { cause: thrown };
  if (thrown instanceof errors.AuthorizationError) {
    const remedy = 'check user and password, token or nkey against its configuration';
    return new BusError('REFUSED', `NATS at ${url} refuses us: ${remedy}`, options);
  }
  const remedy = 'check the address, and that nats-server runs there';
  const message = `cannot reach NATS at ${url} (${messageOf(thrown)}): ${remedy}`;
  return new BusError('DISCONNECTED', message, options);
}

/** Of a publish or a request on `subject`. */
export function asBusError(subject: string, thrown: unknown): BusError {
  const options = { cause: thrown };
  if (thrown instanceof errors.TimeoutError) {
    return new BusError('TIMEOUT', `${subject}: no answer in time`, options);
  }
  if (thrown instanceof errors.RequestError && thrown.isNoResponders()) {
    return new BusError('NO_RESPONDERS', `${subject}: nobody answers`, options);
  }
  const isAway =
    thrown instanceof errors.ClosedConnectionError ||
    thrown instanceof errors.DrainingConnectionError;
  const message = `${subject}: ${messageOf(thrown)}`;
  return new BusError(isAway ? 'DISCONNECTED' : 'REFUSED', message, options);
}
