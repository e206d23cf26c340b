/** What `ferryman run` makes sure of before it starts anything: both monitors answer, in the right state. */
import type { Monitor } from '../agent/monitor/monitor.ts';
import { openQmp } from '../agent/monitor/qmp-socket.ts';
import { messageOf } from '../shared/errors.ts';
import { ExitError, exitCodes } from './exit.ts';

type Side = 'source' | 'destination';

const activeStatuses: ReadonlySet<unknown> = new Set([
  'setup',
  'active',
  'pre-switchover',
  'device',
  'postcopy-active',
  'postcopy-paused',
  'cancelling',
]);

/**
 * Throws ExitError: unreachable when a socket does not answer as QMP, usage when the VMs behind
 * them are not a running source and a destination that waits for it.
 */
export async function checkMonitors(paths: Readonly<Record<Side, string>>): Promise<void> {
  if (paths.source === paths.destination) {
    throw new ExitError(
      exitCodes.usage,
      '--source-qmp and --destination-qmp name the same socket; each QEMU has its own.',
    );
  }
  await checkSource(paths.source);
  await checkDestination(paths.destination);
}

/**
 * Throws ExitError: unreachable when the socket does not answer as QMP, usage when the VM waits for a
 * migration itself, refused when it is in one.
 */
export async function checkSource(path: string): Promise<void> {
  await withMonitor('source', path, async (monitor) => {
    const runState = await askStatus(monitor, 'query-status');
    if (runState === 'inmigrate') {
      throw new ExitError(
        exitCodes.usage,
        `The source at ${path} itself waits for a migration. Was --source-qmp given the destination's socket?`,
      );
    }
    const status = await askStatus(monitor, 'query-migrate');
    if (activeStatuses.has(status)) {
      throw new ExitError(
        exitCodes.refused,
        `The source at ${path} already migrates (${String(status)}). Wait for it, or cancel it where it was started.`,
      );
    }
  });
}

async function checkDestination(path: string): Promise<void> {
  await withMonitor('destination', path, async (monitor) => {
    const runState = await askStatus(monitor, 'query-status');
    if (runState === 'inmigrate') return;
    throw new ExitError(
      exitCodes.usage,
      `The destination at ${path} is '${String(runState)}' and does not wait for a migration. ` +
        'Start it with -incoming defer and the same machine options as the source.',
    );
  });
}

async function withMonitor(
  side: Side,
  path: string,
  use: (monitor: Monitor) => Promise<void>,
): Promise<void> {
  const monitor = await openQmp(path).catch((error: unknown) => {
    throw unreachable(side, error);
  });
  try {
    await use(monitor);
  } catch (error) {
    throw error instanceof ExitError ? error : unreachable(side, error);
  } finally {
    monitor.close();
  }
}

async function askStatus(monitor: Monitor, command: string): Promise<unknown> {
  const reply = await monitor.execute(command);
  return typeof reply === 'object' && reply !== null && 'status' in reply
    ? reply.status
    : undefined;
}

function unreachable(side: Side, error: unknown): ExitError {
  return new ExitError(
    exitCodes.unreachable,
    `The ${side} cannot be reached: ${messageOf(error)}`,
    { cause: error },
  );
}
