/** The charts of the page, as inline SVG; colours are the page's, by class. */
import { entryText, policiesOf } from './table.ts';
import { bestStatic, costOf, entryFor, type Entry, type Scene } from './statistics.ts';

const labelWidth = 110;
const cellWidth = 62;
const rowHeight = 22;
const headHeight = 92;
/** J that many times the best is as bad as it gets in colour. */
const worstRatio = 8;
const barWidth = 560;
const barHeight = 9;

/** Who wins where: a row per workload, a column per policy, J over the best of the row. */
export function heatMap(scenes: readonly Scene[]): string {
  const policies = policiesOf(scenes);
  const width = labelWidth + policies.length * cellWidth;
  const height = headHeight + scenes.length * rowHeight;
  const heads = policies.map((policy, column) => {
    const x = labelWidth + (column + 0.5) * cellWidth;
    return `<text transform="translate(${x} ${headHeight - 8}) rotate(-45)">${policy}</text>`;
  });
  const rows = scenes.map((scene, index) =>
    heatRow(scene, policies, headHeight + index * rowHeight),
  );
  return svg(width + 50, height, [...heads, ...rows]);
}

function heatRow(scene: Scene, policies: readonly string[], y: number): string {
  const completed = scene.entries.filter(({ completes }) => completes);
  const least = Math.min(...completed.map((entry) => entry.of(costOf)));
  const cells = policies.map((policy, column) => {
    const entry = entryFor(scene, policy);
    const x = labelWidth + column * cellWidth;
    return entry === undefined ? '' : heatCell(entry, least, x, y);
  });
  return `<text x="0" y="${y + 15}">${scene.workload}</text>${cells.join('')}`;
}

function heatCell(entry: Entry, least: number, x: number, y: number): string {
  const cost = entry.of(costOf);
  const ratio = cost / least;
  const heat = Math.min(1, Math.log(Math.max(1, ratio)) / Math.log(worstRatio));
  const kind = entry.completes ? 'heat' : 'heat failed';
  const text = entry.completes ? cost.toFixed(1) : 'FAIL';
  const best = entry.completes && ratio < 1.001 ? ' best' : '';
  const box = `x="${x + 1}" y="${y + 1}" width="${cellWidth - 2}" height="${rowHeight - 2}"`;
  const title = `<title>${entry.policy}: ${entryText(entry)}</title>`;
  return (
    `<g class="${kind}${best}"><rect rx="3" ${box} style="--heat:${heat.toFixed(3)}">${title}</rect>` +
    `<text x="${x + cellWidth / 2}" y="${y + 15}" text-anchor="middle">${text}</text></g>`
  );
}

/** J of adaptive beside the best static choice, auto-converge and none; a logarithmic axis. */
export function bars(scenes: readonly Scene[]): string {
  const rows = scenes.map((scene) => ({ scene, entries: contenders(scene) }));
  const costs = rows.flatMap(({ entries }) => entries.map(([, entry]) => shownCost(entry)));
  const [least, most] = [Math.min(...costs, 1), Math.max(...costs, 2)];
  const lengthOf = (cost: number) =>
    6 + (barWidth - 6) * (Math.log(cost / least) / Math.log(most / least));
  let y = 4;
  const parts = rows.map(({ scene, entries }) => {
    const top = y;
    y += entries.length * (barHeight + 2) + 12;
    const drawn = entries.map(([kind, entry], index) =>
      bar(kind, entry, lengthOf(shownCost(entry)), top + index * (barHeight + 2)),
    );
    return `<text x="0" y="${top + 12}">${scene.workload}</text>${drawn.join('')}`;
  });
  return svg(labelWidth + barWidth + 260, y, parts);
}

function contenders(scene: Scene): (readonly [kind: string, entry: Entry])[] {
  const named = [
    ['adaptive', entryFor(scene, 'adaptive')],
    ['static', bestStatic(scene)],
    ['auto-converge', entryFor(scene, 'auto-converge')],
    ['none', entryFor(scene, 'none')],
  ] as const;
  return named.flatMap(([kind, entry]) => (entry === undefined ? [] : [[kind, entry] as const]));
}

/** Of what did not complete, the charge for that is left out, or it would dwarf all else. */
function shownCost(entry: Entry): number {
  const shown = entry.completes
    ? entry.of(costOf)
    : entry.of(({ totalSeconds, guestWorkLostSeconds: lost }) => totalSeconds + Math.max(0, lost));
  return Math.max(0.1, shown);
}

function bar(kind: string, entry: Entry, length: number, y: number): string {
  const cost = entry.completes ? entry.of(costOf).toFixed(1) : 'did not complete';
  const name = kind === 'static' ? `best static: ${entry.policy}` : kind;
  const failed = entry.completes ? '' : ' failed';
  const text = `<text class="small" x="${labelWidth + length + 6}" y="${y + 8}">${name} ${cost}</text>`;
  const box = `x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"`;
  return `<rect class="bar ${kind}${failed}" ${box}/>${text}`;
}

function svg(width: number, height: number, parts: readonly string[]): string {
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" ${size}>${parts.join('\n')}</svg>`;
}
