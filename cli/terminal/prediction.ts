/** What `ferryman predict` tells people: the guest, the link, and a table of the families. */
import type {
  FamilyPrediction,
  MigrationPrediction,
  Span as FigureSpan,
} from '../../brain/core/prediction.ts';
import { explainRule } from '../../brain/words/explain.ts';
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { paint, span, wrap, type Line, type Style } from './style.ts';
import { symbolsFor } from './symbols.ts';
import { table } from './table.ts';

const widestColumns = 110;

/** Renders a prediction, top line first. */
export function renderPrediction(prediction: MigrationPrediction, style: Style): string[] {
  const fitted = { ...style, columns: Math.min(style.columns, widestColumns) };
  return [
    [span(prediction.vm, 'strong')],
    ...told(`guest: ${guestInWords(prediction)}`, fitted),
    ...told(`link: ${linkInWords(prediction)}`, fitted),
    [],
    ...familyTable(prediction, fitted),
    [],
    ...overLinksInWords(prediction, fitted),
    ...verdict(prediction, fitted),
  ].map((line) => paint(line, fitted));
}

function guestInWords({ guest, unprobedBecause }: MigrationPrediction): string {
  if (guest === undefined) {
    return `not probed (${unprobedBecause ?? 'unknown why'}): taken to write nothing`;
  }
  const { dirtyBytesPerSecond, compressionRatio, xbzrleDeltaShare } = guest;
  return [
    `${formatBytes(guest.ramBytes)} of memory, ${percent(guest.zeroShare)} empty`,
    dirtyBytesPerSecond === 0
      ? 'writes nothing'
      : `writes ${formatBytes(dirtyBytesPerSecond)}/s over ${formatBytes(guest.workingSetBytes)}`,
    ...(compressionRatio === undefined ? [] : [`compresses ${compressionRatio.toFixed(1)} times`]),
    ...(xbzrleDeltaShare === undefined
      ? []
      : [`XBZRLE sends ${percent(xbzrleDeltaShare)} of a page`]),
  ].join(', ');
}

function linkInWords({ link }: MigrationPrediction): string {
  const [low, high] = [link.lowBytesPerSecond, link.highBytesPerSecond].map(formatBytes);
  return `${formatBytes(link.bytesPerSecond)}/s, ${link.provenance} (${rangeOf(low, high)}/s)`;
}

const headings = ['', 'method', 'ends', 'time', 'downtime', 'sent', 'guest loses', 'throttle'];

function familyTable({ families, chosen }: MigrationPrediction, style: Style): readonly Line[] {
  const { mark } = symbolsFor(style);
  const rows = families.flatMap((each) => {
    const isChosen = each.family === chosen.family;
    return familyRows(each, isChosen ? mark : '');
  });
  return table([headings.map((text): Line => [span(text, 'faint')]), ...rows]);
}

/** The likely figures, and under them the range; a family that cannot end has none. */
function familyRows(each: FamilyPrediction, mark: string): readonly (readonly Line[])[] {
  const tone = mark === '' ? 'plain' : 'strong';
  const head: readonly Line[] = [
    [span(mark, 'accent')],
    [span(each.family, tone)],
    [span(endsInWords(each), each.finishes ? 'good' : 'warning')],
  ];
  if (each.finishingShare === 0) return [[...head, [span('never', 'bad')]]];
  const cells = figuresOf(each);
  return [
    [...head, ...cells.map(({ likely }): Line => [span(likely, tone)])],
    [[], [], [], ...cells.map(({ range }): Line => [span(range, 'faint')])],
  ];
}

function endsInWords({ finishes, finishingShare }: FamilyPrediction): string {
  if (finishingShare === 1) return 'yes';
  return `${finishes ? 'likely' : 'hardly'}, ${percent(finishingShare)}`;
}

function figuresOf(each: FamilyPrediction) {
  return [
    cell(each.totalMilliseconds, formatMilliseconds),
    cell(each.downtimeMilliseconds, formatMilliseconds),
    cell(each.transferredBytes, formatBytes),
    cell(each.guestWorkLostSeconds, (seconds) => formatMilliseconds(seconds * 1000)),
    cell(each.throttlePercent, (value) => (value === 0 ? 'none' : `${value.toFixed(0)} %`)),
  ];
}

function cell({ likely, low, high }: FigureSpan, format: (value: number) => string) {
  const [least, most] = [format(low), format(high)];
  return { likely: format(likely), range: least === most ? '' : rangeOf(least, most) };
}

/** `2.9 to 3.4 s`: the unit is said once where both have the same. */
function rangeOf(low = '', high = ''): string {
  const [figure, ...unit] = low.split(' ');
  return `${unit.join(' ') === high.split(' ').slice(1).join(' ') ? (figure ?? low) : low} to ${high}`;
}

/** A range over every speed that a link may have says little: the usual ones, one by one. */
function overLinksInWords({ overLinks = [] }: MigrationPrediction, style: Style): readonly Line[] {
  if (overLinks.length === 0) return [];
  const each = overLinks.map(({ bytesPerSecond, family, finishes, totalMilliseconds }) => {
    const end = finishes ? formatMilliseconds(totalMilliseconds) : 'no end';
    return `${end} over ${formatBytes(bytesPerSecond)}/s (${family})`;
  });
  return [...told(`by what the link gives: ${each.join(', ')}.`, style), []];
}

function verdict({ policy, chosen }: MigrationPrediction, style: Style): readonly Line[] {
  const sentence = `${policy} would choose ${chosen.family}: ${explainRule(chosen.rule, chosen.evidence)}.`;
  return told(sentence, style);
}

function told(sentence: string, style: Style): readonly Line[] {
  return wrap(sentence, style.columns).map((piece) => [span(piece)]);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
