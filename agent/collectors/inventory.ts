/** What the host is. Read once at the start of the agent: it runs a dozen commands. */
import { cpu, osInfo, system } from 'systeminformation';

export interface HostInventory {
  readonly manufacturer: string;
  readonly model: string;
  /** True when this host is itself a virtual machine (nested virtualisation). */
  readonly isVirtual: boolean;
  readonly cpuModel: string;
  readonly cpuCores: number;
  readonly cpuPhysicalCores: number;
  readonly operatingSystem: string;
  readonly kernel: string;
  readonly architecture: string;
}

export async function collectInventory(): Promise<HostInventory> {
  const [machine, processor, os] = await Promise.all([system(), cpu(), osInfo()]);
  return {
    manufacturer: machine.manufacturer,
    model: machine.model,
    isVirtual: machine.virtual,
    cpuModel: `${processor.manufacturer} ${processor.brand}`.trim(),
    cpuCores: processor.cores,
    cpuPhysicalCores: processor.physicalCores,
    operatingSystem: `${os.distro} ${os.release}`.trim(),
    kernel: os.kernel,
    architecture: os.arch,
  };
}
