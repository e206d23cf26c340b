/** Line charts over time as SVG text: static, so that they print, mail and archive. */
import { text } from './markup.ts';

export interface Curve {
  readonly name: string;
  /** A class of the page's style sheet, which gives the colour. */
  readonly tone: string;
  readonly points: readonly Point[];
}

/** Seconds since the start, and a value. */
export type Point = readonly [number, number];

export interface Mark {
  readonly atSeconds: number;
  readonly label: string;
}

export interface Chart {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly marks: readonly Mark[];
  readonly format: (value: number) => string;
  /** 1024 for bytes: figures on the axis are round in the units they are written in. */
  readonly base: 1000 | 1024;
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

const width = 860;
const height = 240;
const frame = { left: 86, right: 12, top: 12, bottom: 30 } as const;
const inner = {
  width: width - frame.left - frame.right,
  height: height - frame.top - frame.bottom,
} as const;

/** A figure with its title and legend; undefined when there is nothing to draw. */
export function chartFigure(chart: Chart): string | undefined {
  const curves = chart.curves.filter(({ points }) => points.length > 0);
  if (curves.length === 0) return undefined;
  const highest = Math.max(...curves.flatMap(({ points }) => points.map(([, value]) => value)));
  const top = roundUp(highest, chart.base);
  const span = Math.max(1e-3, chart.toSeconds - chart.fromSeconds);
  const x = (seconds: number) => frame.left + ((seconds - chart.fromSeconds) / span) * inner.width;
  const y = (value: number) => frame.top + (1 - value / top) * inner.height;
  return [
    `<figure><figcaption>${text(chart.title)}${legend(curves)}</figcaption>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${text(chart.title)}">`,
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => level(y(share * top), chart.format(share * top))),
    ...ticks(chart.fromSeconds, chart.toSeconds).map((seconds) => tick(x(seconds), seconds)),
    ...chart.marks.map(({ atSeconds, label }) => mark(x(atSeconds), label)),
    ...curves.map(
      ({ tone, points }) =>
        `<polyline class="${tone}" points="${points.map(([at, value]) => `${fixed(x(at))},${fixed(y(value))}`).join(' ')}"/>`,
    ),
    '</svg></figure>',
  ].join('\n');
}

function legend(curves: readonly Curve[]): string {
  return curves.map(({ name, tone }) => `<span class="key ${tone}">${text(name)}</span>`).join('');
}

function level(y: number, label: string): string {
  return (
    `<line class="grid" x1="${frame.left}" x2="${width - frame.right}" y1="${fixed(y)}" y2="${fixed(y)}"/>` +
    `<text x="${frame.left - 8}" y="${fixed(y + 4)}" text-anchor="end">${text(label)}</text>`
  );
}

function tick(x: number, seconds: number): string {
  return `<text x="${fixed(x)}" y="${height - 8}" text-anchor="middle">${seconds} s</text>`;
}

/** The label shows when one points at it, and is there for screen readers. */
function mark(x: number, label: string): string {
  const line = `x1="${fixed(x)}" x2="${fixed(x)}" y1="${frame.top}" y2="${frame.top + inner.height}"`;
  return `<line class="mark" ${line}><title>${text(label)}</title></line>`;
}

/** About eight whole figures between the ends. */
function ticks(from: number, to: number): readonly number[] {
  const step = roundUp(Math.max(1, (to - from) / 8), 1000);
  const first = Math.ceil(from / step) * step;
  const count = Math.floor((to - first) / step) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => first + index * step);
}

/** The next of 1, 2, 5, 10, 20, 50 ... in the greatest unit that it holds. */
function roundUp(value: number, base: Chart['base']): number {
  if (value <= 0) return 1;
  const unit = base ** Math.floor(Math.log(value) / Math.log(base));
  const power = unit * 10 ** Math.floor(Math.log10(value / unit));
  return power * ([1, 2, 5].find((factor) => factor * power >= value) ?? 10);
}

function fixed(value: number): string {
  return value.toFixed(1);
}
