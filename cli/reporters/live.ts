import type { Migration } from '../../brain/core/migration.ts';
import type { Style } from '../terminal/style.ts';
import { renderSummary } from '../terminal/summary.ts';
import { renderMigration } from '../terminal/view.ts';
import type { Output, Reporter } from './reporter.ts';

/** Ten pictures a second: more than an eye reads, little enough for a slow line. */
const redrawMilliseconds = 100;
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';

/** A view that is redrawn in place; what is said stays above it. `styleNow` follows resizing. */
export function createLiveReporter(output: Output, styleNow: () => Style): Reporter {
  const screen = createScreen(output);
  let latest: Migration | undefined;
  let timer: NodeJS.Timeout | undefined;
  const draw = () => {
    timer = undefined;
    if (latest !== undefined) screen.show(renderMigration(latest, styleNow()));
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    onInput: (migration) => {
      latest = migration;
      timer ??= setTimeout(draw, redrawMilliseconds).unref();
    },
    onSettled: (migration) => {
      stop();
      latest = migration;
      draw();
      screen.keep(['', ...renderSummary(migration, styleNow())]);
      latest = undefined;
    },
    say: (message) => {
      screen.interject(`ferryman: ${message}`);
    },
    close: () => {
      stop();
      latest = undefined;
      screen.close();
    },
  };
}

interface Screen {
  /** Replaces the picture. */
  show(lines: readonly string[]): void;
  /** Leaves the picture standing and writes below it. */
  keep(lines: readonly string[]): void;
  /** Writes a line above the picture. */
  interject(line: string): void;
  close(): void;
}

/** Repaints over its own last picture only, so the scroll-back above stays the operator's. */
function createScreen(output: Output): Screen {
  let shown: readonly string[] = [];
  let hidden = false;
  const home = () => (shown.length === 0 ? '\r' : `\u001b[${String(shown.length)}A\r`);
  const picture = (lines: readonly string[]) => lines.map((line) => `${line}\u001b[K\n`).join('');
  const show = (lines: readonly string[]) => {
    output.write(`${hidden ? '' : hideCursor}${home()}${picture(lines)}\u001b[J`);
    hidden = true;
    shown = lines;
  };
  return {
    show,
    keep: (lines) => {
      output.write(picture(lines));
      shown = [];
    },
    interject: (line) => {
      output.write(`${home()}${picture([line, ...shown])}\u001b[J`);
    },
    close: () => {
      if (hidden) output.write(showCursor);
      hidden = false;
    },
  };
}
