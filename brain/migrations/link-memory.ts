/**
 * What the brain believes of the link between two hosts before the first byte is sent, by the
 * precedence of design.md 2: configured, else learned from earlier migrations of the pair, else
 * the NICs' speed, else unknown. The core measures in flight by itself.
 */
import type { HostSample } from '../../shared/sample.ts';
import type { Objective } from '../../shared/objective.ts';
import type { Side } from '../core/decision.ts';
import type { LinkEstimate, LinkProvenance } from '../core/input.ts';
import { around, unknownLink } from '../core/link.ts';
import { learnedBytesPerSecond } from '../core/link-lesson.ts';
import type { Listener } from '../listeners.ts';

/** The path in question and what the brain was told of it. */
export interface LinkQuestion {
  readonly source: string;
  readonly destination: string;
  readonly objective: Objective;
  /** Absent for a host that has not spoken yet. */
  readonly hosts: Readonly<Record<Side, HostSample | undefined>>;
}

export interface LinkMemory {
  estimate(question: LinkQuestion): LinkEstimate;
  /** Remembers what a migration got over this pair. */
  learn(source: string, destination: string, bytesPerSecond: number): void;
}

/** Where learned figures are kept, by pair of hosts. */
export interface LinkStore {
  get(pair: string): number | undefined;
  set(pair: string, bytesPerSecond: number): void;
}

/** Weight of the newest figure in what is learned. */
const newestShare = 0.5;

/** A memory that lasts as long as the brain, unless it is given a store that lasts longer. */
export function createLinkMemory(learned: LinkStore = new Map<string, number>()): LinkMemory {
  return {
    estimate: ({ source, destination, objective, hosts }) =>
      from('configured', objective.linkBandwidthBytesPerSecond) ??
      from('learned', learned.get(pairOf(source, destination))) ??
      from('nic', source === destination ? undefined : nicBytesPerSecond(hosts)) ??
      // Who sets a cap expects the link to carry it.
      from('configured', objective.maxBandwidthBytesPerSecond) ??
      unknownLink,
    learn: (source, destination, bytesPerSecond) => {
      if (!(bytesPerSecond > 0)) return;
      const pair = pairOf(source, destination);
      const before = learned.get(pair) ?? bytesPerSecond;
      learned.set(pair, before + newestShare * (bytesPerSecond - before));
    },
  };
}

/** Teaches the memory what completed migrations got. Under a cap of ours that says nothing. */
export function linkLearner(links: LinkMemory): Listener {
  return {
    onSettled: (migration, { outcome }) => {
      const { source, destination, order } = migration;
      if (outcome !== 'completed' || order?.objective.maxBandwidthBytesPerSecond) return;
      const bytesPerSecond = learnedBytesPerSecond(migration);
      if (!source || !destination || bytesPerSecond === undefined) return;
      links.learn(source.ref.host, destination.ref.host, bytesPerSecond);
    },
  };
}

function pairOf(source: string, destination: string): string {
  return `${source} ${destination}`;
}

function from(
  provenance: LinkProvenance,
  bytesPerSecond: number | undefined,
): LinkEstimate | undefined {
  return bytesPerSecond === undefined ? undefined : around(bytesPerSecond, provenance);
}

/** The slower host's fastest NIC; undefined unless both hosts know the speed of one. */
function nicBytesPerSecond({ source, destination }: LinkQuestion['hosts']): number | undefined {
  const speed = Math.min(fastestNic(source), fastestNic(destination));
  return Number.isFinite(speed) ? speed : undefined;
}

function fastestNic(host: HostSample | undefined): number {
  const speeds = host?.nics.flatMap((nic) => nic.speedBytesPerSecond ?? []) ?? [];
  return speeds.length === 0 ? NaN : Math.max(...speeds);
}
