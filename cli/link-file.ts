/**
 * What `ferryman run` learned of links, kept for the runs and predictions after it: a small file of
 * bytes per second by destination host. It is a help, never a need: without it, or when it makes no
 * sense, there is a note and nothing is remembered.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { createLinkMemory, type LinkMemory } from '../brain/migrations/link-memory.ts';
import type { Endpoint } from '../shared/command.ts';
import { messageOf } from '../shared/errors.ts';

export interface LinkFileOptions {
  readonly path: string;
  /** As the migration URI names it; undefined where there is no link between hosts. */
  readonly destinationHost: string | undefined;
  /** Told what kept the file from being read or written. */
  readonly note: (text: string) => void;
}

const contents = z.object({ links: z.record(z.string(), z.number().positive()) });
type Links = z.infer<typeof contents>['links'];

/** `$XDG_STATE_HOME/ferryman/links.json`, by default below `~/.local/state`. */
export function linkFilePath(environment: NodeJS.ProcessEnv): string {
  const state = environment['XDG_STATE_HOME'] ?? join(homedir(), '.local/state');
  return join(state, 'ferryman/links.json');
}

/** The other host; a socket, or this host by its loopback, is no link (and may be a tunnel to any). */
export function linkedHost(endpoint: Endpoint): string | undefined {
  return endpoint.kind === 'tcp' && !isLoopback(endpoint.host) ? endpoint.host : undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** A link memory for migrations from here to one host, which outlasts the process. */
export function openLinkFile({ path, destinationHost, note }: LinkFileOptions): LinkMemory {
  if (destinationHost === undefined) return createLinkMemory();
  return createLinkMemory({
    get: () => readLinks(path, note)[destinationHost],
    set: (_pair, bytesPerSecond) => {
      const links = { ...readLinks(path, () => undefined), [destinationHost]: bytesPerSecond };
      writeLinks(path, links, note);
    },
  });
}

function readLinks(path: string, note: (text: string) => void): Links {
  try {
    return contents.parse(JSON.parse(readFileSync(path, 'utf8'))).links;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isMissing) note(`${path} is not what ferryman wrote and is ignored; it can be removed`);
    return {};
  }
}

/** Written aside and renamed, so that nobody ever reads half of it. */
function writeLinks(path: string, links: Links, note: (text: string) => void): void {
  const aside = `${path}.${String(process.pid)}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(aside, `${JSON.stringify({ links })}\n`);
    renameSync(aside, path);
  } catch (error) {
    note(`what was learned of the link is not kept: ${messageOf(error)}`);
  }
}
