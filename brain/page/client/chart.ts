/** One chart with its key, which says the figures under the cursor, or the latest. */
import uPlot from 'uplot';
import type { Columns } from './chart-data.ts';
import { element, setText } from './dom.ts';
import { decisionAt, drawDecisions, drawSwitchover, type Marks } from './marks.ts';
import type { ChartKind, Line } from './series.ts';
import { currentTheme, type Theme } from './theme.ts';

export interface Chart {
  readonly root: HTMLElement;
  show(columns: Columns, seconds: number, marks: Marks): void;
  /** Draws anew in the colours of the style sheet as they are now. */
  repaint(): void;
}

const axisWidth = 84;
const leastWidth = 200;
const axisFont = '11px system-ui, sans-serif';

/** `onChoose` gets the decision whose mark was clicked. */
export function createChart(kind: ChartKind, onChoose: (decision: number) => void): Chart {
  const { root, box, keys } = createFigure(kind);
  let theme = currentTheme();
  let [columns, marks]: [Columns, Marks] = [[[]], { decisions: [], chosen: undefined }];
  let seconds = 1;
  let plot: uPlot | undefined;

  const width = () => Math.max(leastWidth, box.clientWidth);
  const tellKeys = (at: number | null | undefined) => {
    keys.forEach((key, index) => {
      key.tell(columns[index + 1] ?? [], at);
    });
  };
  const draw = (drawn: uPlot) => {
    if (kind.hasFlags) drawSwitchover(drawn, theme, marks);
    drawDecisions(drawn, theme, marks, kind.hasFlags);
  };
  const build = () => {
    plot?.destroy();
    const onCursor = ({ cursor }: uPlot) => {
      tellKeys(cursor.idx);
    };
    const around = { width: width(), seconds: () => seconds, draw, onCursor };
    const built = new uPlot(optionsOf(kind, theme, around), columns, box);
    built.over.addEventListener('click', () => {
      const number = decisionAt(built, built.cursor.left ?? -1, marks);
      if (number !== undefined) onChoose(number);
    });
    plot = built;
  };
  new ResizeObserver(() => plot?.setSize({ width: width(), height: kind.height })).observe(box);
  return {
    root,
    show: (newColumns, newSeconds, newMarks) => {
      [columns, seconds, marks] = [newColumns, newSeconds, newMarks];
      if (plot) plot.setData(columns);
      else build();
      tellKeys(plot?.cursor.idx);
    },
    repaint: () => {
      theme = currentTheme();
      if (plot) build();
    },
  };
}

function createFigure(kind: ChartKind) {
  const keys = kind.lines.map(createKey);
  const box = element('div', { class: 'plot', role: 'img', 'aria-label': kind.description });
  const list = element('ul', { class: 'keys' }, ...keys.map((key) => key.root));
  const caption = element('figcaption', {}, element('h3', {}, kind.title), list);
  return { root: element('figure', { class: 'chart' }, caption, box), box, keys };
}

interface Surroundings {
  readonly width: number;
  readonly seconds: () => number;
  readonly draw: (plot: uPlot) => void;
  readonly onCursor: (plot: uPlot) => void;
}

function optionsOf(
  kind: ChartKind,
  theme: Theme,
  { width, seconds, draw, onCursor }: Surroundings,
): uPlot.Options {
  const axis = { stroke: theme.faint, font: axisFont, ticks: { show: false } };
  const grid = { stroke: theme.grid, width: 1 };
  return {
    width,
    height: kind.height,
    legend: { show: false },
    padding: [kind.hasFlags ? 20 : 10, 12, 0, 0],
    cursor: {
      sync: { key: 'depth' },
      drag: { x: false, y: false },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: { time: false, range: () => [0, seconds()] },
      y: { range: (_, __, largest) => [0, kind.top(largest)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        values: (_, splits) => splits.map((value) => `${value} s`),
      },
      {
        ...axis,
        grid,
        size: axisWidth,
        space: 24,
        ...(kind.steps && { incrs: kind.steps }),
        values: (_, splits) => splits.map(kind.formatAxis),
      },
    ],
    series: [{}, ...kind.lines.map((line) => line.series(theme))],
    hooks: { draw: [draw], setCursor: [onCursor] },
  };
}

interface Key {
  readonly root: HTMLElement;
  tell(column: Columns[number], at: number | null | undefined): void;
}

function createKey({ name, look, colour, format }: Line): Key {
  const value = element('b');
  const sample = element('i', { class: `key ${look} ${colour}`, 'aria-hidden': 'true' });
  const root = element('li', {}, sample, `${name} `, value);
  return {
    root,
    tell: (column, at) => {
      const under = typeof at === 'number' ? column[at] : undefined;
      const told = under ?? column.findLast((each) => typeof each === 'number');
      setText(value, typeof told === 'number' ? format(told) : '');
    },
  };
}
