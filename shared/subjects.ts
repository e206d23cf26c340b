/** The only place with subject text: `ferryman.v1.<channel>.<host>[.<kind>]`, and what is kept. */
import { FerrymanError } from './errors.ts';

/**
 * Telemetry, events, acknowledgements, commands (request and reply), the brain's beacon, the
 * operator's orders (request and reply), and what a brain has to say to history.
 */
export const channels = ['tel', 'evt', 'ack', 'cmd', 'lead', 'op', 'hist'] as const;
export type Channel = (typeof channels)[number];

/** `host` is a host id (see `hostId`); under `lead` and `hist` it is the brain's id, under `op` the verb. */
export interface Subject {
  readonly channel: Channel;
  readonly host: string;
  readonly kind?: string;
}

/** A name that cannot stand in a subject. */
export class SubjectError extends FerrymanError {
  constructor(message: string) {
    super('SUBJECT', message);
  }
}

const prefix = 'ferryman.v1';
const hostPattern = '[a-z0-9](?:[a-z0-9_-]{0,126}[a-z0-9])?';
const kindPattern = '[a-z0-9-]{1,64}';
const isHostId = new RegExp(`^${hostPattern}$`);
const isKind = new RegExp(`^${kindPattern}$`);
const isSubject = new RegExp(
  `^ferryman\\.v1\\.(${channels.join('|')})\\.(${hostPattern})(?:\\.(${kindPattern}))?$`,
);

/**
 * The id of a host by its name: lower case, dots as underscores, because a dot separates tokens in a
 * subject. Host names hold no underscore, so no two of them get the same id.
 * Throws SubjectError for what is no host name.
 */
export function hostId(hostName: string): string {
  const id = hostName.toLowerCase().replaceAll('.', '_');
  if (isHostId.test(id)) return id;
  throw new SubjectError(
    `host ${JSON.stringify(hostName)}: use letters, digits, "-" and ".", at most 128 of them`,
  );
}

/** Throws SubjectError when `host` is no host id or `kind` no plain word. */
export function buildSubject({ channel, host, kind }: Subject): string {
  if (!isHostId.test(host)) {
    throw new SubjectError(`${JSON.stringify(host)} is not a host id; make one with hostId()`);
  }
  if (kind === undefined) return `${prefix}.${channel}.${host}`;
  if (isKind.test(kind)) return `${prefix}.${channel}.${host}.${kind}`;
  throw new SubjectError(`kind ${JSON.stringify(kind)}: use a-z, 0-9 and "-", at most 64 of them`);
}

/** A brain that came with agents of its own speaks to these only; nobody else's agents heed it. */
const privateKind = 'private';

/** Where a brain says that it is there: to all agents, or to those that came with it. */
export function beaconSubject(brain: string, isPrivate: boolean): string {
  return buildSubject({ channel: 'lead', host: brain, ...(isPrivate && { kind: privateKind }) });
}

/** Whether a beacon is for every agent. */
export function isPublicBeacon(subject: string): boolean {
  return parseSubject(subject)?.kind !== privateKind;
}

/** Undefined for whatever is not ours: a server passes on subjects that no client of ours builds. */
export function parseSubject(subject: string): Subject | undefined {
  const [, channel, host, kind] = isSubject.exec(subject) ?? [];
  if (channel === undefined || host === undefined) return undefined;
  return { channel: channel as Channel, host, ...(kind !== undefined && { kind }) };
}

/** What to subscribe to for a channel of every host. */
export function everyHost(channel: Channel): string {
  return `${prefix}.${channel}.>`;
}

/** NATS wildcards: `*` stands for one token, a last `>` for one or more. */
export function matchesSubject(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const given = subject.split('.');
  const hasTail = wanted.at(-1) === '>';
  if (hasTail ? given.length < wanted.length : given.length !== wanted.length) return false;
  const fixed = hasTail ? wanted.slice(0, -1) : wanted;
  return fixed.every((token, index) => token === '*' || token === given[index]);
}

/** Where replies to one client come: of its own, so that a server can keep others from reading them. */
export function inboxPrefix(part: 'agent' | 'brain', id: string): string {
  return `_INBOX_${part}_${id}`;
}

const keptPrefix = '$KV.ferryman.';

/** Where a value that all brains share is kept, by its key; `>` stands for all keys. */
export function keptSubject(key: string): string {
  return `${keptPrefix}${key}`;
}

/** The opposite. */
export function keyOf(subject: string): string {
  return subject.slice(keptPrefix.length);
}
