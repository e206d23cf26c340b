/** What a host offers to migrations, and with which rights its agent works. */
import type { LibvirtPlace } from './command.ts';

/** What an agent would need to do all that it can, and does not have; `reason` is for people. */
export interface Lack {
  readonly right: 'probe' | 'cgroup';
  readonly reason: string;
}

/** The capabilities of Linux on which the probe and the CPU quota stand; see deploy/systemd. */
export const rightCapabilities = [
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_SYS_PTRACE',
] as const;
export type RightCapability = (typeof rightCapabilities)[number];

/** As whom an agent runs, and which of those it has; root has all. */
export interface Privileges {
  readonly user: string;
  readonly capabilities: readonly RightCapability[];
}

/** What a host offers to migrations, said with every host sample. */
export interface HostFacts {
  /** `observe`: its own policy lets no command through. */
  readonly mode: 'observe' | 'act';
  /** Where migration streams into this host are sent, and the ports they may use. */
  readonly migrationAddress: string;
  readonly firstMigrationPort: number;
  readonly lastMigrationPort: number;
  /** Those of them that some TCP socket of the host has: mostly, no QEMU can listen there. */
  readonly occupiedPorts: readonly number[];
  /** Its policy has a command that starts a destination. */
  readonly canStartDestination: boolean;
  readonly lacks: readonly Lack[];
  /** Absent from agents that do not tell. */
  readonly privileges?: Privileges;
  /** Where its libvirt takes domains in; absent when its policy does not say. */
  readonly libvirt?: LibvirtPlace;
  /** The greatest epoch that its agent has heard: it obeys no brain of a smaller one. */
  readonly highestEpoch?: number;
}
