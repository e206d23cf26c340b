/** A host full of small VMs at rest: firmware that found nothing to boot. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import { killQemu, qemuCommand, runCommand, type QemuPlace } from '../../rig/qemu.ts';
import { atEnd } from './processes.ts';

const memoryMebibytes = 32;

/** Starts `count` of them with their monitors in `folder`; returns what ends them. */
export async function startVms(
  count: number,
  folder: string,
  version: QemuVersion,
): Promise<() => void> {
  const places = Array.from({ length: count }, (_, index) => placeOf(folder, `vm-${index + 1}`));
  const stop = atEnd(() => {
    places.forEach(killQemu);
  });
  for (const place of places) {
    const machine = { bootArguments: [], memoryMebibytes, vcpus: 1 };
    await runCommand(qemuCommand({ ...machine, version, place, uuid: randomUUID() }));
  }
  return stop;
}

function placeOf(folder: string, name: string): QemuPlace {
  const file = (ending: string) => join(folder, `${name}.${ending}`);
  return {
    qmpPath: file('qmp'),
    pidFile: file('pid'),
    logFile: file('log'),
    consoleFile: file('console'),
  };
}
