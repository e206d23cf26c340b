/** As whom this process runs and which rights it has beyond that of its user. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import {
  rightCapabilities,
  type Privileges,
  type RightCapability,
} from '../../shared/host-facts.ts';

/** Their numbers in capability(7). */
const bits: Readonly<Record<RightCapability, bigint>> = {
  CAP_DAC_OVERRIDE: 1n,
  CAP_DAC_READ_SEARCH: 2n,
  CAP_SYS_PTRACE: 19n,
};

/** Of this process, now. */
export function ownPrivileges(): Privileges {
  return {
    user: userName(),
    capabilities: parseCapabilities(readFileSync('/proc/self/status', 'utf8')),
  };
}

/** Those that are in effect, of a /proc/PID/status. */
export function parseCapabilities(status: string): readonly RightCapability[] {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return rightCapabilities.filter((name) => ((mask >> bits[name]) & 1n) === 1n);
}

/** A service may run as a user of no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${String(process.getuid?.())}`;
  }
}
