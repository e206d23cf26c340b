/** The migrations of one domain that ferryman has libvirt make. */
import { ExecuteError, TimeoutError } from '../qmp/errors.ts';
import { startMigrateJob, type MigrateJob } from './job.ts';
import { migrateWords, type MigrationSettings } from './migrate-words.ts';
import type { LibvirtAddress } from './session.ts';

/** libvirt brings the destination up first, and may have to ask its QEMU what it can do. */
const startMilliseconds = 25_000;
/** After an abort libvirt was at work for another 1.5 to 2.1 s [measured]. */
const endMilliseconds = 6000;

/** What QEMU says of itself once its part has begun. */
const begunStatuses: ReadonlySet<unknown> = new Set(['setup', 'active', 'pre-switchover']);

/** What is armed for the next migration, and the one under way. */
export class OrderedMigrations {
  readonly #domain: string;
  /** For messages. */
  readonly #monitor: string;
  readonly #address: LibvirtAddress;
  #armed: MigrationSettings | undefined;
  #job: MigrateJob | undefined;
  #begun: (() => void) | undefined;

  constructor(domain: string, monitor: string, address: LibvirtAddress) {
    this.#domain = domain;
    this.#monitor = monitor;
    this.#address = address;
  }

  get isUnderWay(): boolean {
    return this.#job !== undefined;
  }

  /**
   * Capabilities of the next migration, for libvirt to set at its start. While it is at work on the
   * last one it would put back what is set meanwhile, so that is waited for. Throws TimeoutError.
   */
  async arm(states: unknown): Promise<void> {
    await this.#within(endMilliseconds, 'the end of its last migration', this.#job?.ended);
    const list = Array.isArray(states) ? (states as readonly CapabilityState[]) : [];
    const capabilities = list.map(({ capability, state }) => [capability, state] as const);
    this.#armed = { capabilities: Object.fromEntries(capabilities), parameters: {} };
  }

  /** Parameters of the next migration: those that libvirt has flags for it would set otherwise. */
  note(parameters: Readonly<Record<string, unknown>>): void {
    if (this.#armed === undefined) return;
    const { capabilities } = this.#armed;
    this.#armed = { capabilities, parameters: { ...this.#armed.parameters, ...parameters } };
  }

  /** Returns once QEMU has begun. Throws ExecuteError with libvirt's word, TimeoutError. */
  async start(uri: string): Promise<void> {
    if (this.#armed === undefined) throw this.#refused('libvirt was connected anew; arm it again');
    const words = migrateWords(this.#domain, uri, this.#armed);
    const job = startMigrateJob(this.#address, words);
    this.#job = job;
    const begun = new Promise<void>((resolve) => {
      this.#begun = resolve;
    });
    const ended = job.ended.then((complaint) => {
      this.#job = undefined;
      if (complaint !== undefined) throw this.#refused(complaint);
    });
    await this.#within(startMilliseconds, 'virsh migrate', Promise.race([begun, ended]));
  }

  /** QEMU's word on where its migration stands. */
  sees(status: unknown): void {
    if (begunStatuses.has(status)) this.#begun?.();
  }

  /** Waits for nothing any more; a migration under way goes on. */
  leave(): void {
    this.#job?.leave();
  }

  async #within(
    limitMilliseconds: number,
    what: string,
    work: Promise<unknown> | undefined,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new TimeoutError(this.#monitor, what, limitMilliseconds));
      }, limitMilliseconds);
    });
    await Promise.race([work, late]).finally(() => {
      clearTimeout(timer);
    });
  }

  #refused(reason: string): ExecuteError {
    return new ExecuteError(this.#monitor, 'migrate', 'Libvirt', reason);
  }
}

interface CapabilityState {
  readonly capability: string;
  readonly state: boolean;
}
