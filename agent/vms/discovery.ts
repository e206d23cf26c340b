import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FerrymanError, messageOf } from '../../shared/errors.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { openQmp } from '../monitor/qmp-socket.ts';
import { keepOpen } from '../monitor/reconnect.ts';

/** Where monitors are: every socket in a directory, or these sockets, which need not exist yet. */
export type MonitorPlaces =
  { readonly directory: string } | { readonly sockets: readonly string[] };

export interface DiscoveryOptions {
  readonly places: MonitorPlaces;
  /** A monitor that answers. Called again, with a new one, after each loss. */
  readonly onAttach: (monitor: Monitor) => void;
  readonly onDetach: (path: string, reason: Error) => void;
  /** Something is in the way of `path`; said once, until it changes. */
  readonly onTrouble?: (path: string, reason: Error) => void;
  readonly open?: (path: string) => Promise<Monitor>;
  readonly rescanMilliseconds?: number;
}

/** No name can be more than a name: no separators, no control characters, nothing for a shell. */
const socketName = /^[A-Za-z0-9_.-]{1,100}$/;

/** Starts finding monitors; each is kept open on its own, so that a bad one never slows another. */
export function discover(options: DiscoveryOptions): { stop: () => void } {
  return new Discovery(options);
}

class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #keepers = new Map<string, { stop: () => void }>();
  readonly #attached = new Set<string>();
  readonly #lastTrouble = new Map<string, string>();
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    const { places } = options;
    if ('directory' in places) void this.#rescan(places.directory);
    else for (const path of places.sockets) this.#keep(path, leadsToSocket);
  }

  /** Closes every monitor. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const keeper of this.#keepers.values()) keeper.stop();
  }

  async #rescan(directory: string): Promise<void> {
    const paths = await socketsIn(directory).catch((error: unknown): string[] => {
      this.#trouble(directory, new FerrymanError('NO_DIRECTORY', messageOf(error)));
      return [];
    });
    if (this.#stopped) return;
    for (const path of paths) this.#keep(path, isSocketItself);
    this.#forget(paths);
    const pause = this.#options.rescanMilliseconds ?? 1000;
    this.#timer = setTimeout(() => void this.#rescan(directory), pause);
  }

  /** Gives up sockets that are gone; one that still answers keeps working without its file. */
  #forget(present: readonly string[]): void {
    for (const [path, keeper] of this.#keepers) {
      if (present.includes(path) || this.#attached.has(path)) continue;
      keeper.stop();
      this.#keepers.delete(path);
      this.#lastTrouble.delete(path);
    }
  }

  #keep(path: string, isSocket: (path: string) => Promise<boolean>): void {
    if (this.#keepers.has(path)) return;
    const { open = openQmp } = this.#options;
    const keeper = keepOpen({
      open: async () => {
        if (await isSocket(path)) return open(path);
        throw new FerrymanError('NOT_A_SOCKET', `${path} is not a unix socket`);
      },
      onOpen: (monitor) => {
        this.#attach(path, monitor);
      },
      onFailure: (reason) => {
        this.#trouble(path, reason);
      },
    });
    this.#keepers.set(path, keeper);
  }

  #attach(path: string, monitor: Monitor): void {
    this.#lastTrouble.delete(path);
    this.#attached.add(path);
    this.#options.onAttach(monitor);
    monitor.onClose((reason) => {
      this.#attached.delete(path);
      this.#options.onDetach(path, reason);
    });
  }

  #trouble(path: string, reason: Error): void {
    if (this.#lastTrouble.get(path) === reason.message) return;
    this.#lastTrouble.set(path, reason.message);
    this.#options.onTrouble?.(path, reason);
  }
}

/** Sockets directly in `directory`: no links (they could lead out of it), no FIFOs, no odd names. */
async function socketsIn(directory: string): Promise<string[]> {
  const root = await realpath(directory);
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isSocket() && socketName.test(entry.name))
    .map(({ name }) => join(root, name));
}

async function isSocketItself(path: string): Promise<boolean> {
  const entry = await lstat(path).catch(() => undefined);
  return entry?.isSocket() === true;
}

/** A path that the operator named may be a link; one that is not there yet is waited for. */
async function leadsToSocket(path: string): Promise<boolean> {
  return (await stat(path)).isSocket();
}
