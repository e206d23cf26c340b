/** What is drawn over the charts: decisions on the time axis, and the backlog that ends it all. */
import type uPlot from 'uplot';
import type { DecisionView } from '../view/view.ts';
import type { Theme } from './theme.ts';

export interface Marks {
  readonly decisions: readonly DecisionView[];
  readonly chosen: number | undefined;
  /** Backlog at which QEMU switches over; only in the chart of the backlog. */
  readonly switchoverBytes?: number | undefined;
}

const flagRadius = 8;

/** Draws a line for each decision, with its number in a flag on top where there is room. */
export function drawDecisions(plot: uPlot, theme: Theme, marks: Marks, hasFlags: boolean): void {
  const { ctx } = plot;
  const reach = 2.2 * flagRadius * devicePixelRatio;
  const flags: number[] = [];
  // The chosen one comes first, so that its flag is there whatever its neighbours want.
  const order = [...marks.decisions].sort(
    (a, b) => Number(b.number === marks.chosen) - Number(a.number === marks.chosen),
  );
  ctx.save();
  ctx.setLineDash([]);
  for (const { number, atMilliseconds } of order) {
    const isChosen = number === marks.chosen;
    const x = Math.round(plot.valToPos(atMilliseconds / 1000, 'x', true));
    ctx.strokeStyle = isChosen ? theme.ink : theme.faint;
    ctx.globalAlpha = isChosen ? 1 : 0.45;
    ctx.lineWidth = (isChosen ? 1.5 : 1) * devicePixelRatio;
    line(ctx, [x, plot.bbox.top], [x, plot.bbox.top + plot.bbox.height]);
    ctx.globalAlpha = 1;
    if (!hasFlags || flags.some((flag) => Math.abs(flag - x) < reach)) continue;
    drawFlag(plot, theme, x, number, isChosen);
    flags.push(x);
  }
  ctx.restore();
}

function drawFlag(plot: uPlot, theme: Theme, x: number, number: number, isChosen: boolean): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  const y = plot.bbox.top - flagRadius * ratio;
  ctx.beginPath();
  ctx.arc(x, y, flagRadius * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = isChosen ? theme.ink : theme.surface;
  ctx.fill();
  ctx.lineWidth = ratio;
  ctx.strokeStyle = isChosen ? theme.ink : theme.faint;
  ctx.stroke();
  ctx.fillStyle = isChosen ? theme.surface : theme.ink;
  ctx.font = `600 ${9 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(String(number), x, y + 0.5 * ratio);
}

/** A dashed line at the backlog that fits into the downtime limit. */
export function drawSwitchover(plot: uPlot, theme: Theme, { switchoverBytes }: Marks): void {
  if (switchoverBytes === undefined) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(switchoverBytes, 'y', true));
  if (y < bbox.top) return;
  ctx.save();
  ctx.strokeStyle = theme.good;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
  line(ctx, [bbox.left, y], [bbox.left + bbox.width, y]);
  ctx.restore();
}

type Place = readonly [x: number, y: number];

function line(ctx: CanvasRenderingContext2D, [x1, y1]: Place, [x2, y2]: Place): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

/** The decision nearest to a place on the time axis, within reach of a finger. */
export function decisionAt(plot: uPlot, left: number, marks: Marks): number | undefined {
  const reach = 14;
  const near = marks.decisions
    .map(({ number, atMilliseconds }) => ({
      number,
      distance: Math.abs(plot.valToPos(atMilliseconds / 1000, 'x') - left),
    }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.number;
}
