/**
 * Moves a guest that plain pre-copy cannot move, under `adaptive` with the live view and under
 * QEMU's own auto-converge, and sets both side by side. Exit code 0: `adaptive` completed.
 */
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { styleFor } from '../../cli/terminal/style.ts';
import { messageOf } from '../../shared/errors.ts';
import { guest, linkBytesPerSecond, migrateOnce, type DemoResult, type Line } from './run.ts';
import { comparisonTable } from './table.ts';

const [ferryman, ...flags] = process.argv.slice(2);
if (ferryman === undefined) throw new Error('usage: main.ts FERRYMAN [--json]');
const json = flags.includes('--json');

/** People read standard output; with --json only the last line belongs there. */
const say = (text: string): unknown => (json ? process.stderr : process.stdout).write(`${text}\n`);

// The rig puts the guests away on Ctrl-C; listening keeps us here to remove the rest.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.exitCode = await demo().catch((error: unknown) => {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
  return 1;
});

async function demo(): Promise<number> {
  const adaptive = await present('adaptive', json ? () => undefined : undefined);
  const autoConverge = await present('auto-converge', progressLine());
  const results = [adaptive, autoConverge];
  if (json) {
    const byPolicy = Object.fromEntries(results.map((result) => [result.policy, result]));
    process.stdout.write(`${JSON.stringify(byPolicy)}\n`);
  } else {
    ['', ...comparisonTable(results, styleFor(process.stdout, process.env))].forEach(say);
  }
  return adaptive.outcome === 'completed' ? 0 : 1;
}

async function present(policy: string, onLine?: (line: Line) => void): Promise<DemoResult> {
  say(
    `\n${policy}: a guest that rewrites ${formatBytes(guest.workingSetBytes)} at ` +
      `${formatBytes(guest.dirtyBytesPerSecond)}/s, over a link of ${formatBytes(linkBytesPerSecond)}/s\n`,
  );
  const result = await migrateOnce(ferryman ?? '', { policy, ...(onLine && { onLine }) });
  if (onLine) {
    say(`\r${result.outcome} in ${formatMilliseconds(result.totalMilliseconds)}`.padEnd(70));
  }
  return result;
}

/** The second run in one line, redrawn when it changes and where that is possible. */
function progressLine(): (line: Line) => void {
  let rounds = 0;
  let shown = '';
  return (line) => {
    if (line['type'] === 'round') rounds += 1;
    if (line['type'] !== 'sample' || line['side'] !== 'source' || !process.stdout.isTTY) return;
    const throttle = Number(line['throttlePercent'] ?? 0).toFixed(0);
    const progress = `  round ${String(rounds + 1)}, throttle ${throttle} %`;
    if (progress !== shown) process.stdout.write(`\r${progress.padEnd(40)}`);
    shown = progress;
  };
}
