/** Network interfaces of the host, from /proc/net/dev and /sys/class/net. */
import type { NicSample } from '../../shared/sample.ts';
import { megabitsPerSecondToBytesPerSecond } from '../qemu/units.ts';
import {
  type HostCollector,
  type HostSource,
  readKernelFile,
  readRequiredKernelFile,
} from './collector.ts';

/** Bytes since the interface came up. */
export interface NicCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A host with thousands of taps must not make a sample of megabytes; the busiest ones count. */
const maximumNics = 64;
/** Reading a speed may take the kernel's network lock, and links renegotiate rarely. */
const speedLifeMilliseconds = 60_000;

/** Parses /proc/net/dev into counters by interface name. */
export function parseNicCounters(text: string): ReadonlyMap<string, NicCounters> {
  const counters = new Map<string, NicCounters>();
  for (const [, name = '', fields = ''] of text.matchAll(/^ *([^\s:][^\s]*?): *(\d.*)$/gm)) {
    const numbers = fields.split(/ +/).map(Number);
    counters.set(name, { receivedBytes: numbers[0] ?? 0, sentBytes: numbers[8] ?? 0 });
  }
  return counters;
}

/** Parses /sys/class/net/NAME/speed (megabits per second); -1 is a driver that does not know. */
export function parseNicSpeed(text: string | undefined): number | undefined {
  const megabitsPerSecond = Number(text ?? -1);
  return megabitsPerSecond > 0 ? megabitsPerSecondToBytesPerSecond(megabitsPerSecond) : undefined;
}

/** Rate of a counter that starts again from zero when the interface is made anew. */
function rate(before: number | undefined, after: number, elapsedMilliseconds: number): number {
  if (before === undefined || after < before || elapsedMilliseconds <= 0) return 0;
  return ((after - before) * 1000) / elapsedMilliseconds;
}

/** Rates between two readings; an interface that never carried a byte and has no speed is left out. */
export function nicRates(
  before: ReadonlyMap<string, NicCounters>,
  after: ReadonlyMap<string, NicCounters>,
  elapsedMilliseconds: number,
  speedOf: (name: string) => number | undefined,
): NicSample[] {
  return [...after]
    .map(([name, now]) => ({ name, now, speed: speedOf(name) }))
    .filter(({ now, speed }) => now.receivedBytes + now.sentBytes > 0 || speed !== undefined)
    .sort((a, b) => total(b.now) - total(a.now))
    .slice(0, maximumNics)
    .map(({ name, now, speed }) => {
      const then = before.get(name);
      return {
        name,
        receivedBytesPerSecond: rate(then?.receivedBytes, now.receivedBytes, elapsedMilliseconds),
        sentBytesPerSecond: rate(then?.sentBytes, now.sentBytes, elapsedMilliseconds),
        ...(speed !== undefined && { speedBytesPerSecond: speed }),
      };
    });
}

function total({ receivedBytes, sentBytes }: NicCounters): number {
  return receivedBytes + sentBytes;
}

/** Link speeds, read again once a minute. */
function createSpeedReader({ sysRoot, clock }: HostSource): (name: string) => number | undefined {
  const known = new Map<string, number | undefined>();
  let readAtMilliseconds = clock.monotonicMilliseconds();
  return (name) => {
    const now = clock.monotonicMilliseconds();
    if (now - readAtMilliseconds > speedLifeMilliseconds) {
      known.clear();
      readAtMilliseconds = now;
    }
    if (!known.has(name)) {
      known.set(name, parseNicSpeed(readKernelFile(`${sysRoot}/class/net/${name}/speed`)));
    }
    return known.get(name);
  };
}

/** Watches the host's network interfaces: what they carried since the last reading, and their speed. */
export function createNicCollector(source: HostSource): HostCollector {
  const speedOf = createSpeedReader(source);
  const read = () => ({
    atMilliseconds: source.clock.monotonicMilliseconds(),
    counters: parseNicCounters(readRequiredKernelFile(`${source.procRoot}/net/dev`)),
  });
  let before = read();
  return {
    name: 'nic',
    collect() {
      const after = read();
      const elapsedMilliseconds = after.atMilliseconds - before.atMilliseconds;
      const nics = nicRates(before.counters, after.counters, elapsedMilliseconds, speedOf);
      before = after;
      return { nics };
    },
  };
}
