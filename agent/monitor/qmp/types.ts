/** What QEMU says on the wire, narrowed from unknown JSON. Only what is used is checked. */

export type QmpMessage =
  | { readonly kind: 'greeting'; readonly outOfBand: boolean }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | {
      readonly kind: 'refusal';
      /** Absent when QEMU could not even parse what it was sent. */
      readonly id?: number;
      readonly class: string;
      readonly description: string;
    }
  | {
      readonly kind: 'event';
      readonly name: string;
      readonly data: Readonly<Record<string, unknown>>;
    };

/** True for a JSON object (neither null nor an array). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads one line. Throws SyntaxError saying what is wrong, quoting at most the line's beginning. */
export function parseMessage(line: string): QmpMessage {
  const message = parseObject(line);
  if ('QMP' in message) return greeting(message['QMP']);
  if (typeof message['event'] === 'string') return event(message['event'], message['data']);
  if ('error' in message) return refusal(message['id'], message['error']);
  if ('return' in message) return reply(message['id'], message['return']);
  throw new SyntaxError(`neither greeting, reply nor event: ${quote(line)}`);
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new SyntaxError(`not JSON: ${quote(line)}`);
  }
  if (!isObject(value)) throw new SyntaxError(`not a JSON object: ${quote(line)}`);
  return value;
}

function greeting(body: unknown): QmpMessage {
  const capabilities = isObject(body) ? body['capabilities'] : undefined;
  return {
    kind: 'greeting',
    outOfBand: Array.isArray(capabilities) && capabilities.includes('oob'),
  };
}

function event(name: string, data: unknown): QmpMessage {
  return { kind: 'event', name, data: isObject(data) ? data : {} };
}

function reply(id: unknown, value: unknown): QmpMessage {
  if (typeof id !== 'number') throw new SyntaxError('a reply without the id of its command');
  return { kind: 'reply', id, value };
}

function refusal(id: unknown, error: unknown): QmpMessage {
  const body = isObject(error) ? error : {};
  return {
    kind: 'refusal',
    ...(typeof id === 'number' ? { id } : {}),
    class: typeof body['class'] === 'string' ? body['class'] : 'GenericError',
    description: typeof body['desc'] === 'string' ? body['desc'] : 'no description',
  };
}

function quote(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
