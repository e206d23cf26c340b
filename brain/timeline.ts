/**
 * One line of time for everything the core is told, so that no two clocks need to agree.
 *
 * The brain's monotonic clock is the line; it is written as Unix milliseconds (read once, at the
 * start) because history wants labels. An agent's monotonic clock is laid onto it by the smallest
 * difference seen lately: the message with the least delay. Samples thereby keep the spacing they
 * had at the agent, without the jitter of the way here.
 */
import type { Clock } from '../shared/clock.ts';

export interface Timeline {
  /** Unix milliseconds that never jump. */
  now(): number;
  /** The same for a monotonic reading of this process. */
  at(monotonicMilliseconds: number): number;
}

/** Reads the wall clock once, now. */
export function createTimeline(clock: Clock): Timeline {
  const wallAtZero = clock.wallMilliseconds() - clock.monotonicMilliseconds();
  // Microseconds are exact enough, and short to record.
  const at = (monotonicMilliseconds: number) =>
    Math.round((wallAtZero + monotonicMilliseconds) * 1000) / 1000;
  return { at, now: () => at(clock.monotonicMilliseconds()) };
}

/** Differences remembered per agent: wide enough to outlast a stall, short enough to follow drift. */
const windowLength = 64;

/** Lays one agent's monotonic clock onto ours. */
export interface AgentClock {
  /** Takes in one header; returns by how much it came later than the quickest of late. */
  observe(agentMilliseconds: number, receivedMilliseconds: number): number;
  /** Our monotonic time of an agent's reading. */
  toOurs(agentMilliseconds: number): number;
  /** What the agent's clock reads at least when ours reads this: late by the shortest delay. */
  toAgents(ourMilliseconds: number): number;
}

/** For one life of one agent. */
export function createAgentClock(): AgentClock {
  const differences: number[] = [];
  let offset = 0;
  return {
    observe: (agentMilliseconds, receivedMilliseconds) => {
      const difference = receivedMilliseconds - agentMilliseconds;
      differences.push(difference);
      if (differences.length > windowLength) differences.shift();
      offset = Math.min(...differences);
      return difference - offset;
    },
    toOurs: (agentMilliseconds) => agentMilliseconds + offset,
    toAgents: (ourMilliseconds) => ourMilliseconds - offset,
  };
}
