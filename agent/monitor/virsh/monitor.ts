/** The monitor of one libvirt domain. Speaks QMP to the agent and virsh to libvirt. */
import type { Monitor, MonitorEvent } from '../monitor.ts';
import { BadReplyError, ConnectionLostError, ExecuteError } from '../qmp/errors.ts';
import { libvirtOwner, virshCalls, type VirshCall } from './calls.ts';
import { Departure, type LastWord } from './departure.ts';
import { OrderedMigrations } from './ordered.ts';
import type { VirshSession } from './session.ts';
import { complaintIn } from './transcript.ts';

/** The address of a domain: what the agent knows it by, whichever id libvirt gives it. */
export function domainAddress(uuid: string): string {
  return `libvirt:${uuid}`;
}

interface Migrating extends LastWord {
  readonly ram?: object;
}

/** QEMU lives on for about 600 ms [measured]. */
const lastWordMilliseconds = 500;

const notTakenOver = 'the destination did not take the guest over: libvirt lets it go on here';

/** libvirt's words for a domain that is not there any more. */
const gone = /domain is not running|failed to get domain|domain not found/i;

/** Lives as long as the domain runs here; whoever finds domains tells it of events and of the end. */
export class VirshMonitor implements Monitor {
  readonly address: string;
  readonly owner = libvirtOwner;
  readonly #uuid: string;
  readonly #session: VirshSession;
  readonly #ordered: OrderedMigrations;
  readonly #eventListeners: ((event: MonitorEvent) => void)[] = [];
  readonly #closeListeners: ((reason: Error) => void)[] = [];
  #ended: Error | undefined;
  #isSending = false;
  #departure: Departure | undefined;
  #hasComeBack = false;

  constructor(session: VirshSession, uuid: string) {
    this.address = domainAddress(uuid);
    this.#uuid = uuid;
    this.#session = session;
    this.#ordered = new OrderedMigrations(uuid, this.address, session.address);
  }

  /** See Monitor. Several calls of libvirt are made one after the other; the first refusal ends it. */
  async execute(
    command: string,
    given: object = {},
    timeoutMilliseconds?: number,
  ): Promise<unknown> {
    if (this.#departure !== undefined) return this.#recall(command, this.#departure);
    const values = given as Readonly<Record<string, unknown>>;
    if (command === 'migrate-set-capabilities') {
      await this.#ordered.arm(values['capabilities']);
      return {};
    }
    if (command === 'migrate' && values['resume'] !== true) {
      await this.#ordered.start(String(values['uri']));
      return {};
    }
    if (command === 'migrate-set-parameters') this.#ordered.note(values);
    const calls = virshCalls(this.#uuid, command, values);
    let reply: unknown = {};
    for (const call of calls) reply = await this.#make(command, call, timeoutMilliseconds);
    return command === 'query-migrate' ? this.#learn(reply as Migrating) : reply;
  }

  /** A destination knows of no RAM. */
  #learn(reply: Migrating): Promise<object> | object {
    const { status, ram } = reply;
    this.#isSending = ram !== undefined;
    this.#ordered.sees(status);
    if (status !== 'completed') this.#hasComeBack = false;
    if (status !== 'completed' || !this.#isSending) return reply;
    // QEMU never learns that its guest was not taken over there.
    if (this.#hasComeBack) return { status: 'failed', 'error-desc': notTakenOver };
    this.#departure ??= this.#depart(Promise.resolve(reply));
    return this.#departure.migration();
  }

  onEvent(listener: (event: MonitorEvent) => void): void {
    this.#eventListeners.push(listener);
  }

  onClose(listener: (reason: Error) => void): void {
    if (this.#ended === undefined) this.#closeListeners.push(listener);
    else listener(this.#ended);
  }

  close(): void {
    this.end(new ConnectionLostError(this.address, 'closed by ferryman'));
  }

  /** Hands on what QEMU said of itself. */
  tell(name: string, data: Readonly<Record<string, unknown>>): void {
    const status = name === 'MIGRATION' ? data['status'] : undefined;
    this.#ordered.sees(status);
    const isSource = this.#isSending || this.#ordered.isUnderWay;
    if (status === 'completed' && isSource) this.#departure ??= this.#depart(this.#lastWord());
    if (name === 'RESUME') this.#comeBack();
    this.#announce(name, data);
  }

  /** The destination did not let the guest go on, and libvirt has it go on here. */
  #comeBack(): void {
    if (this.#departure === undefined) return;
    this.#departure.leave();
    this.#departure = undefined;
    this.#hasComeBack = true;
  }

  /** libvirt is done with a migration of this domain. */
  tellEnded(downtimeMilliseconds: number): void {
    this.#departure?.conclude(downtimeMilliseconds);
  }

  /** Its guest has moved away: it ends by itself, soon after libvirt. */
  get isLeaving(): boolean {
    return this.#departure !== undefined;
  }

  #announce(name: string, data: MonitorEvent['data']): void {
    const event = { name, data, atMilliseconds: Date.now() };
    for (const listener of this.#eventListeners) listener(event);
  }

  /** The domain is here no longer; everything that waits learns of it, once. */
  end(reason: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#departure?.leave();
    this.#ordered.leave();
    for (const listener of this.#closeListeners.splice(0)) listener(reason);
  }

  #depart(lastWord: Promise<Migrating>): Departure {
    return new Departure({
      lastWord: lastWord.catch(() => ({ status: 'completed' })),
      onNews: () => {
        this.#announce('JOB_COMPLETED', {});
      },
      onOver: () => {
        this.end(new ConnectionLostError(this.address, 'its guest has moved away'));
      },
    });
  }

  async #lastWord(): Promise<Migrating> {
    const [call] = virshCalls(this.#uuid, 'query-migrate', {});
    if (call === undefined) return {};
    return (await this.#make('query-migrate', call, lastWordMilliseconds)) as Migrating;
  }

  #recall(command: string, departure: Departure): Promise<unknown> {
    if (command === 'query-migrate') return departure.migration();
    if (command === 'query-status') return Promise.resolve({ status: 'postmigrate' });
    if (command === 'query-blockstats') return Promise.resolve([]);
    const reason = 'its guest has moved away';
    return Promise.reject(new ExecuteError(this.address, command, 'Libvirt', reason));
  }

  async #make(command: string, call: VirshCall, timeoutMilliseconds?: number): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended;
    if (call.kind === 'refused')
      throw new ExecuteError(this.address, command, 'Libvirt', call.reason);
    const lines = await this.#session.run(call.words, timeoutMilliseconds);
    const complaint = complaintIn(lines);
    if (complaint !== undefined) throw this.#refusal(command, complaint);
    return call.kind === 'own' ? {} : this.#replyIn(command, lines);
  }

  #refusal(command: string, complaint: string): Error {
    if (!gone.test(complaint)) return new ExecuteError(this.address, command, 'Libvirt', complaint);
    const reason = new ConnectionLostError(this.address, complaint);
    this.end(reason);
    return reason;
  }

  #replyIn(command: string, lines: readonly string[]): unknown {
    const text = lines.findLast((line) => line.startsWith('{'));
    const reply = parse(text ?? '');
    if (reply === undefined)
      throw new BadReplyError(this.address, `to ${command}: ${lines.join(' ').slice(0, 200)}`);
    const { error } = reply;
    if (error === undefined) return reply.return;
    const { class: kind = 'GenericError', desc = 'no reason given' } = error;
    throw new ExecuteError(this.address, command, kind, desc);
  }
}

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly class?: string; readonly desc?: string };
}

function parse(text: string): Reply | undefined {
  try {
    return JSON.parse(text) as Reply;
  } catch {
    return undefined;
  }
}
