import type { Migration } from '../../brain/core/migration.ts';
import { formatBytes } from '../../brain/words/figures.ts';
import { bar } from './bar.ts';
import { span, type Line, type Style, type Tone } from './style.ts';

const mostRounds = 8;
const fewestRounds = 2;
/** Rows of the view that are not bars. */
const otherRows = 18;
/** Round number, attempt mark and the figure beside the bar. */
const besideBarColumns = 24;

interface Backlog {
  readonly label: string;
  readonly bytes: number;
  readonly throttlePercent: number;
  readonly open: boolean;
}

/** What each sync found still to send, oldest first; the shape of these bars is the tendency. */
export function renderBacklog(migration: Migration, style: Style): readonly Line[] {
  const rounds = Math.min(mostRounds, Math.max(fewestRounds, style.rows - otherRows));
  const backlogs = backlogsOf(migration).slice(-rounds);
  if (backlogs.length === 0) return [];
  const width = Math.max(8, style.columns - besideBarColumns);
  const largest = Math.max(1, ...backlogs.map(({ bytes }) => bytes));
  return [
    [span('backlog at the start of each round', 'faint')],
    ...backlogs.map((backlog) => backlogLine(backlog, largest, width, style)),
  ];
}

function backlogsOf({ rounds, openRound, last }: Migration): readonly Backlog[] {
  const closed = rounds.map((round) => ({
    label: String(round.number),
    bytes: round.startRemainingBytes,
    throttlePercent: round.throttlePercent,
    open: false,
  }));
  if (openRound === undefined || openRound.startRemainingBytes === 0) return closed;
  const open = {
    label: String(openRound.number),
    bytes: openRound.startRemainingBytes,
    throttlePercent: last?.throttlePercent ?? 0,
    open: true,
  };
  return [...closed, open];
}

function backlogLine(backlog: Backlog, largest: number, width: number, style: Style): Line {
  const throttled = backlog.throttlePercent > 1;
  return [
    span(`${backlog.label.padStart(4)} `, backlog.open ? 'strong' : 'faint'),
    span(bar(backlog.bytes / largest, width, style), toneOf(backlog)),
    span(` ${formatBytes(backlog.bytes).padStart(10)}`),
    span(throttled ? ` -${backlog.throttlePercent.toFixed(0)} %` : '', 'warning'),
  ];
}

function toneOf(backlog: Backlog): Tone {
  if (backlog.throttlePercent > 1) return 'warning';
  return backlog.open ? 'strong' : 'accent';
}
