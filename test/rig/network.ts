import { execFileSync } from 'node:child_process';
import { tools } from '../../scripts/tools.mjs';

/** A network of its own, whose loopback is a link of a known speed. */
export interface Network {
  /** Goes before a command that is to run inside; empty when this is the machine's own network. */
  readonly commandPrefix: readonly string[];
  readonly isShaped: boolean;
  /** Changes the speed of the link, in bytes of payload; does nothing where it is not shaped. */
  setBytesPerSecond(payloadBytesPerSecond: number): void;
  remove(): void;
}

/** Bytes on the wire per byte of payload: Ethernet, IP and TCP headers at this MTU, and the ACKs. */
const wireBytesPerPayloadByte = 1.0095;
const mtuBytes = 9000;
/** Longer bursts would let a whole downtime's worth of pages through at memory speed. */
const leastBurstBytes = 128 * 1024;
/** The kernel refills the bucket once per timer tick, 4 ms at the slowest. */
const burstSeconds = 0.004;

let created = 0;

/** Needs root, for the network namespace. */
export function canShape(): boolean {
  return process.getuid?.() === 0;
}

/** A network namespace whose loopback carries this payload, both directions together. */
export function createShapedNetwork(payloadBytesPerSecond: number): Network {
  const name = `ferryman-${String(process.pid)}-${String(++created)}`;
  const { ip, tc } = tools();
  // `ip netns exec` wants to mount a /sys of its own, which not every chroot lets it.
  const inside = ['nsenter', `--net=/run/netns/${name}`];
  const remove = (): void => {
    run([ip, 'netns', 'delete', name]);
  };
  const setBytesPerSecond = (payload: number): void => {
    run([...inside, tc, 'qdisc', 'replace', 'dev', 'lo', 'root', ...tokenBucket(payload)]);
  };
  run([ip, 'netns', 'add', name]);
  try {
    run([...inside, ip, 'link', 'set', 'lo', 'mtu', String(mtuBytes), 'up']);
    setBytesPerSecond(payloadBytesPerSecond);
  } catch (error) {
    remove();
    throw error;
  }
  return { commandPrefix: inside, isShaped: true, setBytesPerSecond, remove };
}

/** The arguments of `tc` for a link of this payload. */
export function tokenBucket(payloadBytesPerSecond: number): readonly string[] {
  const rateBits = Math.round(payloadBytesPerSecond * wireBytesPerPayloadByte * 8);
  const burstBytes = Math.max(leastBurstBytes, Math.round(payloadBytesPerSecond * burstSeconds));
  const bucket = ['rate', `${String(rateBits)}bit`, 'burst', String(burstBytes)];
  return ['tbf', ...bucket, 'latency', '20ms'];
}

/** The machine's own loopback, as fast as it is. */
export const machineNetwork: Network = {
  commandPrefix: [],
  isShaped: false,
  setBytesPerSecond: () => undefined,
  remove: () => undefined,
};

function run([program = '', ...args]: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
