/** A past migration as one HTML page with charts, which needs no other file, script or network. */
import type { Migration, MigrationResult } from '../../brain/core/migration.ts';
import type { PastSample } from '../../brain/history/archive.ts';
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { roundFigures, roundHeadings } from '../rounds.ts';
import type { Chapter, Story } from '../story.ts';
import { chartFigure, type Chart, type Mark, type Point } from './chart.ts';
import { tableOf, text } from './markup.ts';
import { styleSheet } from './style.ts';

/** The whole page. */
export function reportPage(story: Story, samples: readonly PastSample[]): string {
  const { migration, chapters } = story;
  const name = migration.source?.name ?? migration.id;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${text(name)}: migration ${text(migration.id)}</title>`,
    `<style>${styleSheet}</style></head><body><main>`,
    `<h1>${text(name)}</h1>`,
    `<p class="faint">${text(subtitle(migration))}</p>`,
    migration.result === undefined ? '' : figures(migration.result),
    '<h2>How it went</h2>',
    ...charts(migration, chapters, samples).map((chart) => chartFigure(chart) ?? ''),
    '<p class="faint">Grey bars are decisions that tuned the migration; point at one to read it.</p>',
    '<h2>What was decided, and why</h2>',
    decisionTable(chapters, startOf(migration)),
    '<h2>Rounds</h2>',
    roundTable(migration),
    '</main></body></html>',
    '',
  ].join('\n');
}

function startOf({ orderedAtMilliseconds, nowMilliseconds }: Migration): number {
  return orderedAtMilliseconds ?? nowMilliseconds;
}

function subtitle(migration: Migration): string {
  const { source, destination, policy, id, link } = migration;
  const hosts = [source, destination].map((vm) => vm?.ref.host ?? 'unknown');
  return [
    `migration ${id}`,
    `${hosts[0] ?? ''} to ${hosts[1] ?? ''}`,
    new Date(startOf(migration)).toISOString(),
    `policy ${policy}`,
    `link ${formatBytes(link.bytesPerSecond)}/s (${link.provenance})`,
  ].join(' · ');
}

function figures(result: MigrationResult): string {
  const all: readonly (readonly [string, string])[] = [
    ['Took', formatMilliseconds(result.totalMilliseconds)],
    ['Downtime', formatMilliseconds(result.downtimeMilliseconds)],
    ['Sent', formatBytes(result.transferredBytes)],
    ['Rounds', String(result.rounds)],
    ['Held back at most', `${result.maxThrottlePercent.toFixed(0)} %`],
    ['Guest time taken', formatMilliseconds(result.throttleSeconds * 1000)],
    ['Prepared in', formatMilliseconds(result.preparationMilliseconds)],
    ['Restarts', String(result.restarts)],
    ['Post-copy', result.postCopy ? 'yes' : 'no'],
  ];
  const why = result.reason === undefined ? '' : `: ${result.reason}`;
  return [
    `<p class="${result.outcome}"><strong>${text(`${result.outcome}${why}`)}</strong></p><dl>`,
    ...all.map(([term, value]) => `<div><dt>${text(term)}</dt><dd>${text(value)}</dd></div>`),
    '</dl>',
  ].join('\n');
}

function charts(
  migration: Migration,
  chapters: readonly Chapter[],
  samples: readonly PastSample[],
): readonly Chart[] {
  const start = startOf(migration);
  const seconds = (milliseconds: number) => (milliseconds - start) / 1000;
  const marks = chapters.flatMap(({ record: { decision }, explanation }): Mark[] =>
    decision.method === 'plan' || decision.side === 'destination'
      ? []
      : [{ atSeconds: seconds(decision.atMilliseconds), label: explanation }],
  );
  const curve = (name: keyof PastSample): readonly Point[] =>
    samples.flatMap((sample): Point[] => {
      const value = sample[name];
      return value === undefined ? [] : [[seconds(sample.atMilliseconds), value]];
    });
  const times = samples.map(({ atMilliseconds }) => seconds(atMilliseconds));
  const range = { fromSeconds: Math.min(0, ...times), toSeconds: Math.max(1, ...times) };
  const rate = (value: number) => `${formatBytes(value)}/s`;
  return [
    {
      ...range,
      title: 'Left to send',
      marks,
      format: formatBytes,
      base: 1024,
      curves: [{ name: 'backlog', tone: 'one', points: curve('remainingBytes') }],
    },
    {
      ...range,
      title: 'Written by the guest, carried by the link',
      marks,
      format: rate,
      base: 1024,
      curves: [
        { name: 'dirtied', tone: 'one', points: curve('dirtyBytesPerSecond') },
        { name: 'bandwidth', tone: 'two', points: curve('bandwidthBytesPerSecond') },
      ],
    },
    {
      ...range,
      title: 'How far the guest was held back',
      marks,
      format: (value) => `${value.toFixed(0)} %`,
      base: 1000,
      curves: [{ name: 'throttle', tone: 'one', points: curve('throttlePercent') }],
    },
  ];
}

function decisionTable(chapters: readonly Chapter[], start: number): string {
  return tableOf(
    ['at', 'decision', 'what came of it'],
    chapters.map(({ record, explanation, effect }) => {
      const { decision, outcome, reason } = record;
      const became = [outcome ?? 'unknown', reason, effect].filter((part) => part !== undefined);
      return [
        `${((decision.atMilliseconds - start) / 1000).toFixed(1)} s`,
        explanation,
        became.join('; '),
      ];
    }),
  );
}

function roundTable(migration: Migration): string {
  const start = startOf(migration);
  return tableOf(
    roundHeadings,
    migration.rounds.map((round) => roundFigures(round, start)),
  );
}
