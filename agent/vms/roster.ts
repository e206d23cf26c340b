/** The VMs attached to this agent, and what is remembered of a QEMU while its monitor is lost. */
import { existsSync } from 'node:fs';
import type { QemuRef } from '../../shared/sample.ts';
import type { ActuatorMemory } from '../commands/actuator.ts';
import { vmKey } from '../commands/executor.ts';
import type { AttachedVm } from './vm.ts';

export interface Roster {
  all(): readonly AttachedVm[];
  find(ref: QemuRef): AttachedVm | undefined;
  /** The memory of this QEMU: `fresh`, unless it was attached before. */
  memoryOf(ref: QemuRef, fresh: ActuatorMemory): ActuatorMemory;
  /** The same, of one that was attached; undefined of any other. */
  recall(ref: QemuRef): ActuatorMemory | undefined;
  add(address: string, vm: AttachedVm): void;
  /** The VM that was attached at this monitor, now no longer. */
  remove(address: string): AttachedVm | undefined;
  /** The next VM to attach that fits. Rejects after the limit; stops waiting when aborted. */
  next(
    fits: (vm: AttachedVm) => boolean,
    limitMilliseconds: number,
    aborted: AbortSignal,
  ): Promise<AttachedVm>;
}

/** An empty roster. */
export function createRoster(): Roster {
  const attached = new Map<string, AttachedVm>();
  const memories = new Map<string, { readonly pid: number; readonly memory: ActuatorMemory }>();
  const listeners = new Set<(vm: AttachedVm) => void>();

  const forgetTheDead = (): void => {
    for (const [key, { pid }] of memories) {
      if (!existsSync(`/proc/${String(pid)}`)) memories.delete(key);
    }
  };
  return {
    all: () => [...attached.values()],
    find: (ref) => [...attached.values()].find((vm) => vmKey(vm.ref) === vmKey(ref)),
    memoryOf(ref, fresh) {
      forgetTheDead();
      const memory = memories.get(vmKey(ref))?.memory ?? fresh;
      memories.set(vmKey(ref), { pid: ref.qemuPid, memory });
      return memory;
    },
    recall: (ref) => memories.get(vmKey(ref))?.memory,
    add(address, vm) {
      attached.set(address, vm);
      for (const listener of listeners) listener(vm);
    },
    remove(address) {
      const vm = attached.get(address);
      attached.delete(address);
      return vm;
    },
    next: (fits, limitMilliseconds, aborted) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => {
          stopWaiting();
          reject(new Error(`no monitor answered within ${String(limitMilliseconds)} ms`));
        };
        const consider = (vm: AttachedVm): void => {
          if (!fits(vm)) return;
          stopWaiting();
          resolve(vm);
        };
        const stopWaiting = (): void => {
          clearTimeout(timer);
          listeners.delete(consider);
        };
        const timer = setTimeout(giveUp, limitMilliseconds);
        aborted.addEventListener('abort', giveUp, { once: true });
        listeners.add(consider);
      }),
  };
}
