/**
 * Finds the domains of this host's libvirt. A domain on its way in is left alone: libvirt lets its
 * monitor answer only when the migration is over, and whoever asks waits as long. It is known by its
 * events until then.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { ConnectionLostError, MonitorError } from '../monitor/qmp/errors.ts';
import { hearEvents } from '../monitor/virsh/events.ts';
import { VirshMonitor } from '../monitor/virsh/monitor.ts';
import { openVirsh, type LibvirtAddress, type VirshSession } from '../monitor/virsh/session.ts';
import {
  complaintIn,
  domainsIn,
  type Domain,
  type EventLine,
} from '../monitor/virsh/transcript.ts';

export interface DomainOptions {
  readonly libvirt: LibvirtAddress;
  /** A domain whose monitor answers. */
  readonly onAttach: (monitor: Monitor) => void;
  readonly onDetach: (address: string, reason: Error) => void;
  /** libvirt does not answer; said once, until it changes. */
  readonly onTrouble: (uri: string, reason: Error) => void;
  readonly rescanMilliseconds?: number;
}

/** Starts finding domains, until `stop`. */
export function discoverDomains(options: DomainOptions): { stop: () => void } {
  return new Domains(options);
}

const usualRescanMilliseconds = 1000;

class Domains {
  readonly #options: DomainOptions;
  readonly #session: VirshSession;
  readonly #events: { stop: () => void };
  readonly #monitors = new Map<
    string,
    { readonly domain: Domain; readonly monitor: VirshMonitor }
  >();
  #timer: NodeJS.Timeout | undefined;
  #trouble: string | undefined;
  #isStopped = false;

  constructor(options: DomainOptions) {
    this.#options = options;
    this.#session = openVirsh(options.libvirt);
    this.#events = hearEvents(options.libvirt, (event) => {
      this.#hear(event);
    });
    void this.#rescan();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#events.stop();
    for (const { monitor } of this.#monitors.values()) monitor.close();
    this.#session.close();
  }

  async #rescan(): Promise<void> {
    try {
      await this.#look();
      this.#trouble = undefined;
    } catch (error) {
      this.#complain(error);
    }
    if (this.#isStopped) return;
    const pause = this.#options.rescanMilliseconds ?? usualRescanMilliseconds;
    this.#timer = setTimeout(() => void this.#rescan(), pause);
  }

  async #look(): Promise<void> {
    const domains = domainsIn(await this.#ask(['list', '--uuid', '--name']));
    for (const [uuid, { monitor }] of this.#monitors) {
      const isHere = domains.some((domain) => domain.uuid === uuid);
      if (!isHere) monitor.end(new ConnectionLostError(monitor.address, 'the domain has ended'));
    }
    for (const domain of domains) {
      if (this.#monitors.has(domain.uuid) || (await this.#isOnItsWayIn(domain))) continue;
      if (!this.#isStopped) this.#attach(domain);
    }
  }

  /** A domain that has gone meanwhile is in no hurry either. */
  async #isOnItsWayIn({ uuid }: Domain): Promise<boolean> {
    const lines = await this.#session.run(['domstate', uuid, '--reason']);
    return !lines.some((line) =>
      /^(running|paused|pmsuspended|crashed)\b(?! \(migrating\))/.test(line),
    );
  }

  #attach(domain: Domain): void {
    const monitor = new VirshMonitor(this.#session, domain.uuid);
    this.#monitors.set(domain.uuid, { domain, monitor });
    this.#options.onAttach(monitor);
    monitor.onClose((reason) => {
      this.#monitors.delete(domain.uuid);
      this.#options.onDetach(monitor.address, reason);
    });
  }

  /** A domain that is not attached has just come in: no need to wait for the next look. */
  #hear({ name, domain, data }: EventLine): void {
    const known = [...this.#monitors.values()].find((each) => each.domain.name === domain);
    known?.monitor.tell(name, data);
    if (known !== undefined || name !== 'RESUME' || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#rescan();
  }

  async #ask(words: readonly string[]): Promise<string[]> {
    const lines = await this.#session.run(words);
    const complaint = complaintIn(lines);
    if (complaint !== undefined) throw new ConnectionLostError(this.#session.uri, complaint);
    return lines;
  }

  #complain(error: unknown): void {
    const message = messageOf(error);
    if (this.#isStopped || this.#trouble === message) return;
    this.#trouble = message;
    const reason = error instanceof MonitorError ? error : new Error(message);
    this.#options.onTrouble(this.#session.uri, reason);
  }
}
