/**
 * Finds the domains of this host's libvirt. A domain on its way in is only told of: libvirt lets its
 * monitor answer when the migration is over, and whoever asks before waits as long. It is attached
 * when its events say that the guest runs here.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { ConnectionLostError, MonitorError } from '../monitor/qmp/errors.ts';
import { hearEndedJobs, hearEvents } from '../monitor/virsh/events.ts';
import { domainAddress, VirshMonitor } from '../monitor/virsh/monitor.ts';
import { openVirsh, type LibvirtAddress, type VirshSession } from '../monitor/virsh/session.ts';
import {
  complaintIn,
  domainsIn,
  type Domain,
  type EventLine,
} from '../monitor/virsh/transcript.ts';
import { startSampler, type Sampler } from '../vms/sampler.ts';

export interface DomainOptions {
  readonly libvirt: LibvirtAddress;
  /** A domain whose monitor answers. */
  readonly onAttach: (monitor: Monitor) => void;
  readonly onDetach: (address: string, reason: Error) => void;
  /** A domain has begun to come in; it cannot be asked yet. */
  readonly onArrival: (arrival: Arriving) => void;
  /** It has gone again, without having been attached. */
  readonly onArrivalEnd: (arrival: Arriving) => void;
  /** libvirt does not answer; said once, until it changes. */
  readonly onTrouble: (uri: string, reason: Error) => void;
  readonly rescanMilliseconds?: number;
}

/** A domain on its way in. */
export interface Arriving extends Domain {
  /** The address of the monitor that it will have. */
  readonly address: string;
}

/** Starts finding domains, until `stop`. */
export function discoverDomains(options: DomainOptions): { stop: () => void } {
  return new Domains(options);
}

const usualRescanMilliseconds = 1000;

class Domains {
  readonly #options: DomainOptions;
  readonly #session: VirshSession;
  readonly #events: readonly { stop: () => void }[];
  readonly #monitors = new Map<
    string,
    { readonly domain: Domain; readonly monitor: VirshMonitor }
  >();
  readonly #arriving = new Map<string, Arriving>();
  readonly #sampler: Sampler;
  #trouble: string | undefined;
  #isStopped = false;

  constructor(options: DomainOptions) {
    this.#options = options;
    this.#session = openVirsh(options.libvirt);
    this.#events = [
      hearEvents(options.libvirt, (event) => {
        this.#hear(event);
      }),
      hearEndedJobs(options.libvirt, ({ domain, downtimeMilliseconds }) => {
        this.#named(domain)?.tellEnded(downtimeMilliseconds);
      }),
    ];
    this.#sampler = startSampler({ look: () => this.#rescan() });
  }

  stop(): void {
    this.#isStopped = true;
    this.#sampler.stop();
    for (const listening of this.#events) listening.stop();
    for (const { monitor } of this.#monitors.values()) monitor.close();
    this.#session.close();
  }

  /** Returns how soon the next has to come. */
  async #rescan(): Promise<number> {
    try {
      await this.#look();
      this.#trouble = undefined;
    } catch (error) {
      this.#complain(error);
    }
    return this.#options.rescanMilliseconds ?? usualRescanMilliseconds;
  }

  async #look(): Promise<void> {
    const domains = domainsIn(await this.#ask(['list', '--uuid', '--name']));
    for (const [uuid, { monitor }] of this.#monitors) {
      const isHere = domains.some((domain) => domain.uuid === uuid);
      if (!isHere && !monitor.isLeaving)
        monitor.end(new ConnectionLostError(monitor.address, 'the domain has ended'));
    }
    for (const arriving of this.#arriving.values()) {
      if (!domains.some(({ uuid }) => uuid === arriving.uuid)) this.#giveUp(arriving);
    }
    for (const domain of domains) {
      if (this.#monitors.has(domain.uuid)) continue;
      const isArriving = await this.#isOnItsWayIn(domain);
      if (this.#isStopped) return;
      if (isArriving) this.#await(domain);
      else this.#attach(domain);
    }
  }

  #await(domain: Domain): void {
    if (this.#arriving.has(domain.uuid)) return;
    const arriving = { ...domain, address: domainAddress(domain.uuid) };
    this.#arriving.set(domain.uuid, arriving);
    this.#options.onArrival(arriving);
  }

  #giveUp(arriving: Arriving): void {
    this.#arriving.delete(arriving.uuid);
    this.#options.onArrivalEnd(arriving);
  }

  /** A domain that has gone meanwhile is in no hurry either. */
  async #isOnItsWayIn({ uuid }: Domain): Promise<boolean> {
    const lines = await this.#session.run(['domstate', uuid, '--reason']);
    return !lines.some((line) =>
      /^(running|paused|pmsuspended|crashed)\b(?! \((migrating|starting up)\))/.test(line),
    );
  }

  #attach(domain: Domain): void {
    const monitor = new VirshMonitor(this.#session, domain.uuid);
    this.#monitors.set(domain.uuid, { domain, monitor });
    this.#arriving.delete(domain.uuid);
    this.#options.onAttach(monitor);
    monitor.onClose((reason) => {
      this.#monitors.delete(domain.uuid);
      this.#options.onDetach(monitor.address, reason);
    });
  }

  /** A domain that is not attached begins to come in, or has: no need to wait for the next look. */
  #hear({ name, domain, data }: EventLine): void {
    const known = this.#named(domain);
    known?.tell(name, data);
    const isNews = name === 'RESUME' || name === 'MIGRATION';
    if (known === undefined && isNews) this.#sampler.soon();
  }

  #named(name: string): VirshMonitor | undefined {
    return [...this.#monitors.values()].find(({ domain }) => domain.name === name)?.monitor;
  }

  async #ask(words: readonly string[]): Promise<string[]> {
    const lines = await this.#session.run(words);
    const complaint = complaintIn(lines);
    if (complaint !== undefined)
      throw new ConnectionLostError(this.#session.address.uri, complaint);
    return lines;
  }

  #complain(error: unknown): void {
    const message = messageOf(error);
    if (this.#isStopped || this.#trouble === message) return;
    this.#trouble = message;
    const reason = error instanceof MonitorError ? error : new Error(message);
    this.#options.onTrouble(this.#session.address.uri, reason);
  }
}
