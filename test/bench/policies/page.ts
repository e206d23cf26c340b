/** The record as one page that needs nothing beside it. */
import { bars, heatMap } from './chart.ts';
import type { BenchRecord } from './record.ts';
import { bestStatic, costOf, entryFor, sceneGroups, scenesOf, type Scene } from './statistics.ts';
import { inWords } from './table.ts';
import { verdictsOf, type Verdict } from './verdicts.ts';
import { workloads } from './workloads.ts';

const style = `
:root { color-scheme: light dark; --ink: #1b2330; --paper: #fff; --faint: #66707f; --line: #d8dde5;
  --adaptive: #0b7a75; --static: #c98a1b; --auto: #7a6fd0; --none: #9aa3af; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --paper: #12161d; --faint: #98a2b1;
  --line: #2c333f; --adaptive: #35c3ba; --static: #e3ad4f; --auto: #a59cf0; --none: #6b7482; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1280px; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } .faint { color: var(--faint); } figure { margin: 1rem 0; overflow-x: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg text.small { font-size: 10px; fill: var(--faint); }
.heat rect { fill: hsl(calc(150 - 132 * var(--heat)) 60% 80%); } .heat text { fill: #16202c; }
.heat.failed rect { fill: #b9404f; } .heat.failed text { fill: #fff; font-size: 10px; }
.heat.best rect { stroke: var(--ink); stroke-width: 2; } .heat.best text { font-weight: 700; }
.bar.adaptive { fill: var(--adaptive); } .bar.static { fill: var(--static); }
.bar.auto-converge { fill: var(--auto); } .bar.none { fill: var(--none); } .bar.failed { opacity: .45; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.figure { text-align: right; }
.holds { color: var(--adaptive); font-weight: 600; } .fails { color: #d0485a; font-weight: 600; }
`;

export function renderPage(record: BenchRecord): string {
  const { machine, versions, date } = record;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const place = `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; ${programs.join(', ')}`;
  const disturbed = record.cells.filter(({ isDisturbed }) => isDisturbed).length;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Policies on real QEMU, ${date}</title><style>${style}</style></head><body>`,
    `<h1>Who moves which guest best</h1>`,
    `<p class="faint">${date}; ${escaped(place)}. ${record.cells.length} runs`,
    `${disturbed > 0 ? `, ${disturbed} of them while others used the machine` : ''}.`,
    'J = seconds in total + 5 × guest work lost + 10 × the gap above the downtime limit;',
    'less is better.</p>',
    '<h2>What it shows</h2>',
    verdictTable(verdictsOf(record)),
    ...sceneGroups(scenesOf(record)).map(groupSection),
    '<h2>Workloads</h2>',
    workloadTable(),
    '</body></html>',
    '',
  ].join('\n');
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ goal, holds, figures }) => {
    const kind = holds === undefined ? 'faint' : holds ? 'holds' : 'fails';
    return `<tr><td>${goal}</td><td class="${kind}">${inWords(holds)}</td><td>${figures}</td></tr>`;
  });
  return `<table>${rows.join('\n')}</table>`;
}

function groupSection(scenes: readonly Scene[]): string {
  const [first] = scenes;
  if (first === undefined) return '';
  return [
    `<h2>QEMU ${first.qemu}, link of ${first.linkBytesPerSecond / 2 ** 20} MiB/s</h2>`,
    '<h3>J of each policy; framed: the least of the row</h3>',
    `<figure>${heatMap(scenes)}</figure>`,
    '<h3>adaptive against the best static choice in hindsight</h3>',
    `<figure>${bars(scenes)}</figure>`,
    hindsightTable(scenes),
  ].join('\n');
}

function hindsightTable(scenes: readonly Scene[]): string {
  const rows = scenes.flatMap((scene) => {
    const [adaptive, best] = [entryFor(scene, 'adaptive'), bestStatic(scene)];
    if (adaptive === undefined || best === undefined) return [];
    const ratio = adaptive.of(costOf) / best.of(costOf);
    const cells = [adaptive.of(costOf).toFixed(2), best.of(costOf).toFixed(2), ratio.toFixed(2)];
    const figures = cells.map((cell) => `<td class="figure">${cell}</td>`).join('');
    return [`<tr><td>${scene.workload}</td><td>${best.policy}</td>${figures}</tr>`];
  });
  const head = ['workload', 'best static', 'adaptive J', 'best static J', 'ratio'];
  return `<table><tr>${head.map((text) => `<th>${text}</th>`).join('')}</tr>${rows.join('\n')}</table>`;
}

function workloadTable(): string {
  const rows = workloads.map(({ name, about }) => `<tr><td>${name}</td><td>${about}</td></tr>`);
  return `<table>${rows.join('\n')}</table>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
