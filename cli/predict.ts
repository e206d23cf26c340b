/** `ferryman predict`: a bus, one agent and a brain of its own look at a VM, and are gone. */
import type { MigrationPrediction } from '../brain/core/prediction.ts';
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { createCleanup } from './cleanup.ts';
import { boardCrew } from './crew.ts';
import { ExitError, exitCodes } from './exit.ts';
import { onInterrupt } from './interrupt.ts';
import { linkFilePath, openLinkFile } from './link-file.ts';
import { sourcePlace } from './places.ts';
import { checkSource } from './preflight.ts';
import { objectiveOf, type ObjectiveFlags } from './run-options.ts';

export interface PredictFlags extends ObjectiveFlags {
  readonly sourceQmp: string;
  /** The host it would go to; what earlier runs learned of the way there is then used. */
  readonly to?: string;
  readonly json?: boolean;
}

/** For each step. */
const cleanupLimitMilliseconds = 3_000;

/**
 * Predicts a migration of the VM at this monitor; nothing about the VM is changed. Throws ExitError
 * when the VM cannot be reached or is not one to be migrated, or at an interrupt.
 */
export async function predictStandalone(
  flags: PredictFlags,
  log: Log,
  note: (text: string) => void,
): Promise<MigrationPrediction> {
  await checkSource(flags.sourceQmp);
  const cleanup = createCleanup((error) => {
    log.warn({ error: messageOf(error) }, 'a clean-up step failed');
  });
  const interrupted = new Promise<never>((_, reject) => {
    const interrupt = () => {
      reject(new ExitError(exitCodes.incomplete, 'interrupted; nothing about the VM was changed'));
    };
    cleanup.add(onInterrupt(interrupt));
  });
  const predicted = async () => {
    const source = sourcePlace(flags);
    const links = openLinkFile({
      path: linkFilePath(process.env),
      destinationHost: flags.to,
      note,
    });
    const brain = await boardCrew({ places: [source], links }, cleanup, log);
    return brain.predict({ source, objective: objectiveOf(flags) });
  };
  try {
    return await Promise.race([predicted(), interrupted]);
  } finally {
    await cleanup.run(cleanupLimitMilliseconds);
  }
}
