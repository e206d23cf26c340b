/** A link that nobody knows: what a migration would come to over each of the usual speeds. */
import type { Family } from '../../shared/sample.ts';
import { legalFamilies } from './families.ts';
import type { LinkEstimate } from './input.ts';
import { currentLink, plausibleBandwidths } from './link.ts';
import type { Migration } from './migration.ts';
import { best, outlook } from './policies/adaptive/family-choice.ts';

export interface LinkOutlook {
  readonly bytesPerSecond: number;
  /** What pays over a link like this. */
  readonly family: Family;
  readonly finishes: boolean;
  /** The deadline where it does not end. */
  readonly totalMilliseconds: number;
}

/** 100 Mb/s, 1, 10 and 100 Gb/s: one range over them all would say little of any. */
const usualBytesPerSecond = [12.5e6, 125e6, 1.25e9, 12.5e9];

/** The usual speeds that the link may have, slowest first; none where it is known. */
export function linkOutlooks(migration: Migration): readonly LinkOutlook[] {
  const link = currentLink(migration);
  if (plausibleBandwidths(link).length === 1) return [];
  return usualBytesPerSecond
    .filter((wire) => wire >= link.lowBytesPerSecond && wire <= link.highBytesPerSecond)
    .map((wire) => outlookOver(migration, wire));
}

/** The same link if it were sure to give this much. */
export function certain(link: LinkEstimate, bytesPerSecond: number): LinkEstimate {
  return {
    ...link,
    bytesPerSecond,
    lowBytesPerSecond: bytesPerSecond,
    highBytesPerSecond: bytesPerSecond,
  };
}

function outlookOver(migration: Migration, bytesPerSecond: number): LinkOutlook {
  const known = { ...migration, link: certain(migration.link, bytesPerSecond) };
  const { family, forecast } = best(legalFamilies(known).map((each) => outlook(known, each)));
  const { finishes, totalSeconds } = forecast;
  return {
    bytesPerSecond,
    family,
    finishes,
    totalMilliseconds: Math.round(totalSeconds * 1000),
  };
}
