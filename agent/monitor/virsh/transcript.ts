/** What a `virsh` that is talked to through pipes writes, taken apart (pure). */

/** Before it reads a command; the second is that of a connection that may only read. */
const prompt = /^(?:virsh [#>] ?)+/;

/** Single quotes keep everything but themselves (virsh(1), NOTES). */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The lines that a command was answered with, from all that was written until `mark` came back; an
 * echo of what was typed is not an answer. Undefined when the mark is not there yet.
 */
export function answerIn(written: string, command: string, mark: string): string[] | undefined {
  const lines = written.split('\n').map((line) => line.replace(prompt, ''));
  // A quiet virsh ends its echo without a line's end, and prompts.
  const end = lines.findIndex((line) => line.startsWith(`${mark}virsh `));
  if (end < 0) return undefined;
  const echoes = [command, `echo ${mark}`, ''];
  return lines.slice(0, end).filter((line) => !echoes.includes(line));
}

/** The complaint among the lines of an answer, without virsh's `error:`; undefined without one. */
export function complaintIn(lines: readonly string[]): string | undefined {
  const first = lines.findIndex((line) => line.startsWith('error: '));
  if (first < 0) return undefined;
  return lines.slice(first).join(' ').replaceAll('error: ', '').trim();
}

/** One line of `qemu-monitor-event`. */
export interface EventLine {
  readonly name: string;
  /** The domain's name. */
  readonly domain: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const eventLine = /event (\w+) at [\d.]+ for domain '(.*)': (<null>|\{.*\})$/;

/** Undefined for a line that is no event. */
export function parseEvent(line: string): EventLine | undefined {
  const [, name, domain, text] = eventLine.exec(line) ?? [];
  if (name === undefined || domain === undefined || text === undefined) return undefined;
  try {
    const data = text === '<null>' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { name, domain, data };
  } catch {
    return undefined;
  }
}

/** A migration that libvirt has brought to its end. */
export interface EndedJob {
  /** The domain's name. */
  readonly domain: string;
  /** How long the guest stood still. */
  readonly downtimeMilliseconds: number;
}

const jobLine = /event 'job-completed' for domain '(.*)':$/;
const downtimeLine = /^\s+downtime: (\d+)$/;

/** Takes the lines of `event --event job-completed`: one names the domain, its figures follow. */
export function jobReader(onEnded: (job: EndedJob) => void): (line: string) => void {
  let domain: string | undefined;
  return (line) => {
    domain = jobLine.exec(line)?.[1] ?? domain;
    const downtime = downtimeLine.exec(line)?.[1];
    if (domain === undefined || downtime === undefined) return;
    onEnded({ domain, downtimeMilliseconds: Number(downtime) });
    domain = undefined;
  };
}

const domainLine = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(.*?)\s*$/;

/** A domain that runs here, or is on its way in. */
export interface Domain {
  readonly uuid: string;
  readonly name: string;
}

/** The domains in the answer to `list --uuid --name`. */
export function domainsIn(lines: readonly string[]): Domain[] {
  return lines.flatMap((line) => {
    const [, uuid, name] = domainLine.exec(line) ?? [];
    return uuid === undefined || name === undefined ? [] : [{ uuid, name }];
  });
}
