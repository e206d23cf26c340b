/**
 * The process behind observer.ts: reads both sides, answers what it has seen. Ends with the process
 * that started it.
 *
 *   node observer-process.ts MEMORY_BYTES PID_FILE …
 */
import { readFileSync } from 'node:fs';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { openReportPage, type Report, type ReportPage } from './report-page.ts';

const periodMilliseconds = 1;
/** How often to look for a QEMU that has not started yet, or for its successor. */
const lookMilliseconds = 20;

interface Side {
  readonly pidFile: string;
  page?: ReportPage;
  nextLookMilliseconds: number;
}

const [memoryBytes, ...pidFiles] = [Number(process.argv[2]), ...process.argv.slice(3)];
const sides = pidFiles.map((pidFile): Side => ({ pidFile, nextLookMilliseconds: 0 }));
const watch = new HeartbeatWatch();

function unixMilliseconds(): number {
  return performance.timeOrigin + performance.now();
}

function attach(side: Side, nowMilliseconds: number): void {
  if (nowMilliseconds < side.nextLookMilliseconds) return;
  side.nextLookMilliseconds = nowMilliseconds + lookMilliseconds;
  try {
    side.page = openReportPage(Number(readFileSync(side.pidFile, 'utf8')), memoryBytes);
  } catch {
    // Not started yet, or just gone: looked for again.
  }
}

function readSide(side: Side, nowMilliseconds: number): Report[] {
  if (!side.page) attach(side, nowMilliseconds);
  try {
    const report = side.page?.read();
    return report ? [report] : [];
  } catch {
    side.page?.close();
    delete side.page;
    return [];
  }
}

function sample(): void {
  const nowMilliseconds = unixMilliseconds();
  watch.add(
    nowMilliseconds,
    sides.flatMap((side) => readSide(side, nowMilliseconds)),
  );
}

process.on('message', () => {
  sample();
  process.send?.(watch.observation());
});
process.on('disconnect', () => process.exit());
setInterval(sample, periodMilliseconds);
sample();
process.send?.('watching');
