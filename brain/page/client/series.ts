/** What each chart draws and what it is called; the order of series is that of chart-data.ts. */
import uPlot from 'uplot';
import { formatBytes } from '../../words/figures.ts';
import type { Theme } from './theme.ts';

export interface Line {
  readonly name: string;
  /** For the key beside the name. */
  readonly look: 'line' | 'dash' | 'dot' | 'ring';
  readonly colour: keyof Theme;
  readonly format: (value: number) => string;
  readonly series: (theme: Theme) => uPlot.Series;
}

export interface ChartKind {
  readonly title: string;
  /** For those who do not see it; the tables below say the same in figures. */
  readonly description: string;
  readonly height: number;
  readonly lines: readonly Line[];
  readonly formatAxis: (value: number) => string;
  /** Steps between its marks, where tens and hundreds are not round. */
  readonly steps?: number[];
  readonly top: (largest: number) => number;
  readonly hasFlags: boolean;
}

const perSecond = (value: number) => `${formatBytes(value)}/s`;
const percent = (value: number) => `${value.toFixed(0)} %`;
const withRoom = (largest: number) => Math.max(1, largest) * 1.08;

/** Bytes on an axis: `96 MiB`. */
const axisBytes = (value: number) => formatBytes(value).replace(/\.0 /, ' ');

/** In bytes, round steps are powers of two. */
const binarySteps = Array.from({ length: 48 }, (_, power) => 2 ** power);

function dots(colour: keyof Theme, isFilled: boolean): Line['series'] {
  return (theme) => ({
    paths: () => null,
    points: {
      show: true,
      size: isFilled ? 7 : 10,
      width: 1.5,
      stroke: theme[colour],
      fill: isFilled ? theme[colour] : 'transparent',
    },
  });
}

const remaining: Line = {
  name: 'left to send',
  look: 'line',
  colour: 'accent',
  format: formatBytes,
  series: (theme) => ({
    stroke: theme.accent,
    fill: theme.accentFill,
    width: 1.5,
    spanGaps: false,
    points: { show: false },
  }),
};

const found: Line = {
  name: 'found at the start of a round',
  look: 'dot',
  colour: 'accent',
  format: formatBytes,
  series: dots('accent', true),
};

const foreseen: Line = {
  name: 'foreseen one round before',
  look: 'ring',
  colour: 'ink',
  format: formatBytes,
  series: dots('ink', false),
};

const forecast: Line = {
  name: 'the model from here on',
  look: 'dash',
  colour: 'ink',
  format: formatBytes,
  series: (theme) => ({
    stroke: theme.ink,
    width: 1.5,
    dash: [5, 5],
    spanGaps: true,
    points: { show: false },
  }),
};

function rate(name: string, colour: keyof Theme): Line {
  return {
    name,
    look: 'line',
    colour,
    format: perSecond,
    series: (theme) => ({
      stroke: theme[colour],
      width: 2,
      spanGaps: true,
      points: { show: false },
    }),
  };
}

const throttle: Line = {
  name: 'guest held back',
  look: 'line',
  colour: 'throttle',
  format: percent,
  series: (theme) => ({
    stroke: theme.throttle,
    fill: theme.throttleFill,
    width: 1.5,
    ...(uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
    points: { show: false },
  }),
};

export const backlogChart: ChartKind = {
  title: 'Backlog by round',
  description: 'Bytes left to send over time, with each round, the forecast and the decisions',
  height: 260,
  lines: [remaining, found, foreseen, forecast],
  formatAxis: axisBytes,
  steps: binarySteps,
  top: withRoom,
  hasFlags: true,
};

export const rateChart: ChartKind = {
  title: 'Dirty rate against link',
  description: 'What the guest writes and what the link carries, bytes per second over time',
  height: 150,
  lines: [rate('the guest writes', 'guest'), rate('the link carries', 'accent')],
  formatAxis: (value) => `${axisBytes(value)}/s`,
  steps: binarySteps,
  top: withRoom,
  hasFlags: false,
};

export const throttleChart: ChartKind = {
  title: 'Throttle',
  description: 'How much the guest is held back, percent over time',
  height: 110,
  lines: [throttle],
  formatAxis: percent,
  top: () => 100,
  hasFlags: false,
};
