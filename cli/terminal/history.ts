/** Past migrations as a table. */
import type { MigrationRecord } from '../../brain/history/points.ts';
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { paint, span, type Line, type Style } from './style.ts';
import { symbolsFor } from './symbols.ts';
import { table } from './table.ts';

/** A name may be 4 KiB long, and the figures behind it are what is looked for. */
const widestName = 24;

const headings = ['ended (UTC)', 'id', 'vm', 'way', 'outcome', 'took', 'downtime', 'sent', 'held'];

/** One line each under a heading; one sentence when there are none. */
export function renderHistory(records: readonly MigrationRecord[], style: Style): string[] {
  if (records.length === 0) return ['No migration has settled in this time.'];
  const rows = [
    headings.map((text): Line => [span(text, 'faint')]),
    ...records.map((record) => cells(record, style)),
  ];
  return table(rows).map((line) => paint(line, style));
}

function cells(record: MigrationRecord, style: Style): readonly Line[] {
  const { id, source, destination, result, nowMilliseconds } = record;
  const way = [source, destination].map((vm) => vm?.ref.host ?? 'unknown');
  const isGood = result.outcome === 'completed';
  const { maxThrottlePercent: held } = result;
  return [
    [span(new Date(nowMilliseconds).toISOString().slice(0, 19).replace('T', ' '), 'faint')],
    [span(id)],
    [span(short(source?.name ?? 'unknown', style), 'strong')],
    [span(way.join(` ${symbolsFor(style).arrow} `))],
    [span(result.outcome, isGood ? 'good' : 'bad')],
    [span(formatMilliseconds(result.totalMilliseconds))],
    [span(formatMilliseconds(result.downtimeMilliseconds))],
    [span(formatBytes(result.transferredBytes))],
    [span(held > 1 ? `${held.toFixed(0)} %` : 'never')],
  ];
}

function short(name: string, style: Style): string {
  const characters = Array.from(name);
  if (characters.length <= widestName) return name;
  return `${characters.slice(0, widestName - 1).join('')}${style.unicode ? '…' : '~'}`;
}
