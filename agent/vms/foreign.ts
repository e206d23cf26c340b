/** Migrations that ferryman did not start: what they were started with, and what is to be kept of it. */
import type { ActuatorMemory } from '../commands/actuator.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { readSettings } from '../qemu/inspect.ts';
import { armingOf } from '../qemu/options.ts';

/**
 * Learns the arming, and takes the parameters as they are now for those to be restored: somebody may
 * have set them since the VM was attached. But not those that are known to be set by the start of
 * this migration; and not where the start was missed, for ferryman may have tuned it in an earlier
 * life.
 * Throws as `readSettings`.
 */
export async function meetForeign(
  monitor: Monitor,
  memory: ActuatorMemory,
  isAtItsStart: boolean,
): Promise<void> {
  const now = await readSettings(monitor);
  memory.foreign = armingOf(now);
  if (!isAtItsStart) return;
  const { capabilities, parameters } = memory.saved;
  const before = Object.entries(parameters).filter(([name]) => monitor.owner?.sets.has(name));
  memory.saved = {
    capabilities,
    parameters: { ...now.parameters, ...Object.fromEntries(before) },
  };
}
