import assert from 'node:assert/strict';
import { defaultObjective } from '../../../shared/objective.ts';
import type { Objective } from '../../../shared/objective.ts';
import type { HostSample } from '../../../shared/sample.ts';
import type { Round } from '../../../brain/core/migration.ts';
import { createLinkMemory, linkLearner } from '../../../brain/migrations/link-memory.ts';
import type { LinkMemory } from '../../../brain/migrations/link-memory.ts';
import { factsOf, hostSample, resultOf, startStub } from '../fixtures.ts';

const nics = (...speeds: (number | undefined)[]): HostSample => ({
  ...hostSample,
  nics: speeds.map((speed, index) => ({
    name: `eth${String(index)}`,
    receivedBytesPerSecond: 0,
    sentBytesPerSecond: 0,
    ...(speed !== undefined && { speedBytesPerSecond: speed }),
  })),
});

function estimate(
  links: LinkMemory,
  change: Partial<Objective> = {},
  hosts: { source?: HostSample; destination?: HostSample } = {},
  destination = 'h2',
) {
  const objective = { ...defaultObjective, ...change };
  const both = { source: hosts.source, destination: hosts.destination };
  return links.estimate({ source: 'h1', destination, objective, hosts: both });
}

const plainArming = { family: 'plain', autoConverge: false, postCopy: false } as const;
const longRound: Round = {
  number: 1,
  attempt: 1,
  startedAtMilliseconds: 1000,
  endedAtMilliseconds: 3000,
  startRemainingBytes: 8e7,
  endRemainingBytes: 1e6,
  unsentBytes: 0,
  transferredBytes: 0,
  guestRunMilliseconds: 2000,
  throttlePercent: 0,
};

describe('brain/migrations/link-memory', () => {
  const nicHosts = { source: nics(1.25e9, 1.25e8), destination: nics(undefined, 1.25e8) };

  it('prefers what the operator says, then what was learned, then the NICs', () => {
    const links = createLinkMemory();
    assert.equal(estimate(links).provenance, 'unknown');
    assert.deepEqual(
      [estimate(links, {}, nicHosts).provenance, estimate(links, {}, nicHosts).bytesPerSecond],
      ['nic', 1.25e8],
    );
    links.learn('h1', 'h2', 9e7);
    assert.equal(estimate(links, {}, nicHosts).bytesPerSecond, 9e7);
    const said = estimate(links, { linkBandwidthBytesPerSecond: 5e7 }, nicHosts);
    assert.deepEqual([said.provenance, said.bytesPerSecond], ['configured', 5e7]);
  });

  it('takes a cap for the link only when nothing else is known', () => {
    const links = createLinkMemory();
    const cap = { maxBandwidthBytesPerSecond: 3e7 };
    assert.deepEqual(
      [estimate(links, cap).provenance, estimate(links, cap).bytesPerSecond],
      ['configured', 3e7],
    );
    assert.equal(estimate(links, cap, nicHosts).provenance, 'nic');
  });

  it('needs a speed from both hosts, and none within one host', () => {
    const links = createLinkMemory();
    assert.equal(estimate(links, {}, { source: nics(1e9) }).provenance, 'unknown');
    assert.equal(
      estimate(links, {}, { source: nics(1e9), destination: nics(undefined) }).provenance,
      'unknown',
    );
    assert.equal(estimate(links, {}, nicHosts, 'h1').provenance, 'unknown');
  });

  it('follows the newest figures of a pair, and of that direction only', () => {
    const links = createLinkMemory();
    links.learn('h1', 'h2', 1e8);
    links.learn('h1', 'h2', 2e8);
    links.learn('h2', 'h1', 7e8);
    links.learn('h1', 'h2', NaN);
    assert.equal(estimate(links).bytesPerSecond, 1.5e8);
  });

  it('learns from completed migrations without a cap', () => {
    const links = createLinkMemory();
    const learner = linkLearner(links);
    const migration = {
      ...startStub({ id: 'm', policy: 'stub', atMilliseconds: 0 }),
      source: factsOf('h1'),
      destination: factsOf('h2'),
      attempts: [{ number: 1, arming: plainArming, transferredBytes: 8e7 }],
      rounds: [{ ...longRound, transferredBytes: 8e7 + 4 * 2 ** 20 }],
    };
    const order = (objective: Partial<Objective>) => ({
      verb: 'migrate' as const,
      endpoint: { kind: 'unix' as const, path: '/x' },
      objective: { ...defaultObjective, ...objective },
    });
    const completed = resultOf(migration);
    learner.onSettled?.({ ...migration, order: order({}) }, { ...completed, outcome: 'failed' });
    learner.onSettled?.(
      { ...migration, order: order({ maxBandwidthBytesPerSecond: 4e7 }) },
      completed,
    );
    assert.equal(estimate(links).provenance, 'unknown');
    learner.onSettled?.({ ...migration, order: order({}) }, completed);
    assert.deepEqual(
      [estimate(links).provenance, estimate(links).bytesPerSecond],
      ['learned', 4e7],
    );
  });
});
