/** The story of a recorded migration, as lines for people. */
import type { Migration } from '../../brain/core/migration.ts';
import { formatBytes } from '../../brain/words/figures.ts';
import { roundFigures, roundHeadings } from '../rounds.ts';
import type { Chapter, Story } from '../story.ts';
import { paint, span, wrap, type Line, type Style } from './style.ts';
import { outcomeLines } from './summary.ts';
import { symbolsFor } from './symbols.ts';
import { table } from './table.ts';

const widestColumns = 100;
const stampColumns = 10;
const numberColumns = 8;

/** Renders the story: what was known, each decision, the rounds, the end. */
export function renderStory(story: Story, style: Style): string[] {
  const fitted = { ...style, columns: Math.min(style.columns, widestColumns) };
  const { migration, chapters } = story;
  const start = migration.orderedAtMilliseconds ?? migration.nowMilliseconds;
  return [
    ...opening(story, fitted),
    [],
    ...chapters.flatMap((chapter) => chapterLines(chapter, start, fitted)),
    [],
    ...roundTable(migration, start),
    [],
    ...outcomeLines(migration, fitted),
  ].map((line) => paint(line, fitted));
}

function opening({ migration, retold }: Story, style: Style): readonly Line[] {
  const { separator, arrow } = symbolsFor(style);
  const hosts = [migration.source, migration.destination].map((vm) => vm?.ref.host ?? 'unknown');
  const title = [hosts.join(` ${arrow} `), migration.policy, knownLink(migration)].join(separator);
  const doubt =
    'This ferryman decides otherwise than the one that recorded this run: the decisions are the ' +
    'recorded ones, but what became of them is not known. `ferryman replay` shows the difference.';
  return [
    [span(migration.source?.name ?? migration.id, 'strong'), span(`  ${title}`)],
    ...(retold ? [] : wrap(doubt, style.columns).map((piece): Line => [span(piece, 'warning')])),
  ];
}

function knownLink({ link }: Migration): string {
  return `link ${formatBytes(link.bytesPerSecond)}/s (${link.provenance})`;
}

function chapterLines({ record, explanation, effect }: Chapter, start: number, style: Style) {
  const { decision, outcome, reason } = record;
  const at = `${((decision.atMilliseconds - start) / 1000).toFixed(1)} s`.padStart(8);
  const columns = Math.max(16, style.columns - stampColumns);
  const isAmiss = outcome !== undefined && outcome !== 'applied';
  const amiss = `${outcome ?? ''}${reason === undefined ? '' : `: ${reason}`}`;
  return [
    ...wrap(explanation, columns).map((piece, index) => stamped(index === 0 ? at : '', piece)),
    ...(isAmiss ? wrap(amiss, columns).map((piece) => stamped('', piece, 'bad')) : []),
    ...(effect === undefined
      ? []
      : wrap(effect, columns).map((piece) => stamped('', piece, 'accent'))),
  ];
}

function stamped(stamp: string, text: string, tone: 'plain' | 'bad' | 'accent' = 'plain'): Line {
  return [span(stamp.padEnd(stampColumns), 'faint'), span(text, tone)];
}

/** The rounds as they ended; the one in which the guest moved is not among them. */
function roundTable({ rounds }: Migration, start: number): readonly Line[] {
  if (rounds.length === 0) return [[span('No round was completed.')]];
  const rows = rounds.map((round) => roundFigures(round, start));
  return table([
    indented(roundHeadings).map((text): Line => [span(text, 'faint')]),
    ...rows.map((row) => indented(row).map((text): Line => [span(text)])),
  ]);
}

function indented([number = '', ...others]: readonly string[]): readonly string[] {
  return [number.padStart(numberColumns), ...others];
}
