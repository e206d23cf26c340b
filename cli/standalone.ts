/**
 * The all-in-one mode of `ferryman run`: a crew of its own (bus, two agents, a brain) brings one VM
 * across and is gone. Whatever happens, what was set is put back before the process ends.
 */
import { setFlagsFromString } from 'node:v8';
import type { Listener } from '../brain/listeners.ts';
import type { Migration } from '../brain/core/migration.ts';
import type { MigrationOrder } from '../brain/orders.ts';
import { emulationProblem } from '../brain/desk/preflight.ts';
import type { Brain } from '../brain/service.ts';
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { createCleanup, type Cleanup } from './cleanup.ts';
import { boardCrew } from './crew.ts';
import { exitCodes, type ExitCode } from './exit.ts';
import { adviseInterrupt, leftBehind, onInterrupt } from './interrupt.ts';
import { linkedHost, linkFilePath, openLinkFile } from './link-file.ts';
import { outcomeCode } from './outcome.ts';
import { placesOf } from './places.ts';
import { checkMonitors } from './preflight.ts';
import { objectiveOf, throttleProblem, type RunFlags } from './run-options.ts';
import type { Reporter } from './reporters/reporter.ts';

/** What an interrupt waits for the brain; with the clean-up the process ends within ten seconds. */
const interruptLimitMilliseconds = 6_000;
/** For each step. */
const cleanupLimitMilliseconds = 3_000;

/** Migrates one VM and returns the exit code. Throws ExitError when it cannot even begin. */
export async function runStandalone(
  flags: RunFlags,
  reporter: Reporter,
  log: Log,
): Promise<ExitCode> {
  // For a minute's life at a few percent of a core, optimised code costs more than it saves.
  setFlagsFromString('--no-opt');
  await checkMonitors({ source: flags.sourceQmp, destination: flags.destinationQmp });
  const cleanup = createCleanup((error) => {
    log.warn({ error: messageOf(error) }, 'a clean-up step failed');
  });
  const voyage = createVoyage(flags, reporter);
  cleanup.add(onInterrupt(voyage.interrupt));
  try {
    const places = placesOf(flags);
    const { nats, record, policy, uri: endpoint } = flags;
    const brain = await boardCrew(
      {
        places: [places.source, places.destination],
        listeners: [
          reporter,
          voyage.listener,
          ...(await pageListeners(flags, reporter, cleanup, log)),
        ],
        links: openLinkFile({
          path: linkFilePath(process.env),
          destinationHost: linkedHost(endpoint),
          note: (text) => {
            reporter.say(text);
          },
        }),
        nats,
        record,
      },
      cleanup,
      log,
    );
    return await voyage.sail(brain, {
      ...places,
      policy,
      endpoint,
      objective: objectiveOf(flags),
    });
  } finally {
    await cleanup.run(cleanupLimitMilliseconds);
    reporter.close();
  }
}

/** The live page, where it is asked for; it is gone with this process. */
async function pageListeners(
  { page: address }: RunFlags,
  reporter: Reporter,
  cleanup: Cleanup,
  log: Log,
): Promise<readonly Listener[]> {
  if (address === undefined) return [];
  const { openPage } = await import('../brain/page/server.ts');
  const page = await openPage({ address, log });
  cleanup.add(() => page.close());
  reporter.say(`watch it at ${page.url}`);
  return [page.listener];
}

interface Voyage {
  readonly listener: Listener;
  readonly interrupt: () => void;
  /** Orders the migration and waits for its end, or for what an interrupt leaves of it. */
  sail(brain: Brain, order: MigrationOrder): Promise<ExitCode>;
}

/** One migration's way through this process, which a signal may cut short at any time. */
function createVoyage(flags: RunFlags, reporter: Reporter): Voyage {
  let migration: Migration | undefined;
  let abort: (() => void) | undefined;
  let interrupted = false;
  let land: (code: ExitCode) => void = () => undefined;
  const landed = new Promise<ExitCode>((resolve) => {
    land = resolve;
  });
  const leaveIn = (milliseconds: number) => {
    setTimeout(land, milliseconds, exitCodes.incomplete).unref();
  };
  const warn = ({ source }: Migration) => {
    const problems = source && [throttleProblem(flags, source), emulationProblem(source)];
    for (const problem of problems ?? []) if (problem !== undefined) reporter.say(problem);
  };
  return {
    listener: {
      onInput: (now) => {
        if (migration === undefined) warn(now);
        migration = now;
        if (now.phase === 'settled' || now.phase === 'needs-human') land(outcomeCode(now));
      },
    },
    interrupt: () => {
      const { action, message } = adviseInterrupt(migration, flags.uri);
      reporter.say(interrupted && action === 'abort' ? 'still cancelling, please wait' : message);
      if (action === 'abort' && !interrupted) abort?.();
      leaveIn(action === 'leave' ? 0 : interruptLimitMilliseconds);
      interrupted = true;
    },
    sail: async (brain, order) => {
      if (interrupted) return exitCodes.incomplete;
      const id = brain.migrate(order);
      abort = () => {
        brain.abort(id, 'interrupted by the operator');
      };
      const code = await landed;
      if (migration !== undefined) tellEnd(migration, reporter);
      return code;
    },
  };
}

/** The last line is the result, also of a migration that goes on without this process. */
function tellEnd(migration: Migration, reporter: Reporter): void {
  if (migration.result !== undefined) return;
  const left = leftBehind(migration);
  if (left.result !== undefined) reporter.onSettled?.(left, left.result);
}
