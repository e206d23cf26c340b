import assert from 'node:assert/strict';
import type { Command, CommandResult } from '../../../shared/command.ts';
import { defaultObjective } from '../../../shared/objective.ts';
import { createCommander } from '../../../brain/migrations/commander.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { createFleet } from '../../../brain/fleet.ts';
import { createLinkMemory } from '../../../brain/migrations/link-memory.ts';
import { OrderError } from '../../../brain/orders.ts';
import { predict } from '../../../brain/migrations/predict.ts';
import { createTimeline } from '../../../brain/timeline.ts';
import { decodeTelemetry } from '../../../shared/codec.ts';
import { memoryBroker } from '../../../shared/memory-bus.ts';
import { probeReport } from '../core/support.ts';
import { factsOf, heldClock, hostSample, settle, stubAgent } from '../fixtures.ts';

const mebibyte = 2 ** 20;
const source = { host: 'h1', selector: 'guest' };
const objective = { ...defaultObjective, linkBandwidthBytesPerSecond: 32 * mebibyte };

/** A fleet of two hosts that have spoken, and an agent that answers `answer` to what it is sent. */
async function house(answer: (command: Command) => Partial<CommandResult>) {
  const broker = memoryBroker();
  const clock = heldClock();
  const timeline = createTimeline(clock);
  const fleet = createFleet(clock, timeline);
  const bus = broker.connect();
  bus.subscribe('ferryman.v1.tel.>', (_, payload) => fleet.accept(decodeTelemetry(payload)));
  const agents = ['h1', 'h2'].map((host) => stubAgent(broker, host, clock, answer));
  for (const [index, agent] of agents.entries()) {
    agent.say({ kind: 'attach', facts: factsOf(`h${String(index + 1)}`, { canProbe: true }) });
    agent.say({ kind: 'host', sample: hostSample });
  }
  await settle();
  const links = createLinkMemory();
  const agentMilliseconds = (host: string) => fleet.agentMilliseconds(host);
  const commander = createCommander({ bus, epoch: () => 1, agentMilliseconds });
  const now = () => timeline.now();
  const means = { fleet, links, commander, reduce, start: startMigration, now };
  return { means, links, agents };
}

describe('brain/migrations/predict', () => {
  it('sends a probe to the source and nothing else', async () => {
    const { means, agents } = await house(() => ({ probe: probeReport() }));
    const { guest, families, chosen } = await predict(means, { source, objective });
    const kinds = agents.map(({ commands }) => commands.map(({ operation }) => operation.kind));
    assert.deepEqual(kinds, [['probe'], []]);
    assert.equal(guest?.zeroShare, 0);
    assert.deepEqual(
      families.map(({ family }) => family),
      ['plain'],
    );
    assert.equal(chosen.family, 'plain');
  });

  it('may be asked again: no command id is used twice', async () => {
    const { means, agents } = await house(() => ({ probe: probeReport() }));
    await predict(means, { source, objective });
    await predict(means, { source, objective });
    const ids = agents[0]?.commands.map(({ id }) => id) ?? [];
    assert.equal(new Set(ids).size, 2);
  });

  it('says why there was no probe', async () => {
    const { means } = await house(() => ({ outcome: 'refused', reason: 'observe-only' }));
    const { guest, unprobedBecause } = await predict(means, { source, objective });
    assert.equal(guest, undefined);
    assert.equal(unprobedBecause, 'observe-only');
  });

  it('uses what was learned of the link to a named destination, and only of that', async () => {
    const { means, links } = await house(() => ({ probe: probeReport() }));
    links.learn('h1', 'h2', 50e6);
    const to = { host: 'h2', selector: '/run/h2.sock' };
    const known = await predict(means, {
      source,
      destination: to,
      objective: defaultObjective,
    });
    assert.deepEqual([known.link.provenance, known.link.bytesPerSecond], ['learned', 50e6]);
    const open = await predict(means, { source, objective: defaultObjective });
    assert.equal(open.link.provenance, 'nic');
  });

  it('refuses VMs that are not there, and one that is its own destination', async () => {
    const { means, agents } = await house(() => ({}));
    for (const [question, code] of [
      [{ source: { host: 'h1', selector: 'nobody' }, objective }, 'UNKNOWN_VM'],
      [{ source, destination: source, objective }, 'SAME_VM'],
    ] as const) {
      const isExpected = (error: unknown) => error instanceof OrderError && error.code === code;
      await assert.rejects(predict(means, question), isExpected);
    }
    assert.ok(agents.every(({ commands }) => commands.length === 0));
  });

  it('foresees the way to a host on which nothing waits yet, over the link learned to it', async () => {
    const { means, links } = await house(() => ({ probe: probeReport() }));
    links.learn('h1', 'h2', 50 * mebibyte);
    const told = { source, destinationHost: 'h2', objective: defaultObjective };
    const { link } = await predict(means, told);
    assert.deepEqual([link.provenance, link.bytesPerSecond], ['learned', 50 * mebibyte]);
  });
});
