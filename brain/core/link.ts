/** Wire bandwidth: configured, learned, measured or unknown, always with a range. */
import type { LinkEstimate } from './input.ts';
import type { Migration } from './migration.ts';

/** What a link of this provenance may really give, as a share of the figure. */
const trust: Readonly<Record<LinkEstimate['provenance'], readonly [number, number]>> = {
  measured: [0.9, 1.1],
  configured: [0.9, 1.05],
  learned: [0.8, 1.2],
  // A NIC is a ceiling: the path behind it may be shared or shaped to anything.
  nic: [0, 1],
  unknown: [0.1, 10],
};

/** What a path behind a NIC may be shaped to in a lab. */
const slowestBytesPerSecond = 8 * 2 ** 20;

/** The link as it is known now; a measurement outranks every hint. The cap of the objective bounds it. */
export function currentLink(migration: Migration): LinkEstimate {
  const cap = migration.order?.objective.maxBandwidthBytesPerSecond ?? Infinity;
  const measured = migration.bandwidthBytesPerSecond;
  const link = measured === undefined ? migration.link : around(measured, 'measured');
  return {
    provenance: link.provenance,
    bytesPerSecond: Math.min(cap, link.bytesPerSecond),
    lowBytesPerSecond: Math.min(cap, link.lowBytesPerSecond),
    highBytesPerSecond: Math.min(cap, link.highBytesPerSecond),
  };
}

/** An estimate with the range that a figure of this provenance deserves. */
export function around(
  bytesPerSecond: number,
  provenance: LinkEstimate['provenance'],
): LinkEstimate {
  const [low, high] = trust[provenance];
  const floor = provenance === 'nic' ? slowestBytesPerSecond : 0;
  return {
    provenance,
    bytesPerSecond,
    lowBytesPerSecond: Math.max(low * bytesPerSecond, Math.min(floor, bytesPerSecond)),
    highBytesPerSecond: high * bytesPerSecond,
  };
}

/** 1 Gb/s, give or take a factor of ten: what migrations are given, from 100 Mb/s to 10 Gb/s. */
export const unknownLink: LinkEstimate = around(125e6, 'unknown');

/** Bandwidths to weigh a choice at: one when the link is known well, else a grid over its range. */
export function plausibleBandwidths(link: LinkEstimate): readonly number[] {
  const { lowBytesPerSecond: low, highBytesPerSecond: high } = link;
  if (high / low < 2) return [link.bytesPerSecond];
  const steps = Math.ceil(Math.log2(high / low));
  return Array.from({ length: steps + 1 }, (_, index) => low * (high / low) ** (index / steps));
}
