import assert from 'node:assert/strict';
import { decodeBeacon, encodeTelemetry } from '../../shared/codec.ts';
import type { CommandResult } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBroker } from '../../shared/memory-bus.ts';
import type { Command } from '../../shared/command.ts';
import type { Input } from '../../brain/core/input.ts';
import type { Listener } from '../../brain/listeners.ts';
import { createBrain } from '../../brain/service.ts';
import type { Brain } from '../../brain/service.ts';
import {
  factsOf,
  heldClock,
  hostSample,
  order,
  sampleOf,
  settle,
  startStub,
  stubAgent,
  stubCore,
  uuid,
} from './fixtures.ts';
import type { Decide } from './fixtures.ts';

/** Arms the source as soon as the order is there. */
const armOnOrder: Decide = (input) =>
  input.kind === 'order' && input.order.verb === 'migrate'
    ? [{ side: 'source', operation: { kind: 'cancel' } }]
    : [];

describe('brain/service', () => {
  const running: Brain[] = [];
  afterEach(() => {
    running.splice(0).forEach((brain) => {
      brain.stop();
    });
  });

  function house(options: {
    decide?: Decide;
    listeners?: readonly Listener[];
    answer?: (command: Command) => Partial<CommandResult>;
  }) {
    const broker = memoryBroker();
    const clock = heldClock();
    const core = stubCore(options.decide);
    const bus = broker.connect();
    const brain = createBrain({
      bus,
      clock,
      log: silentLog,
      reduce: core.reduce,
      start: startStub,
      epoch: 7,
      listeners: options.listeners ?? [],
    });
    const source = stubAgent(broker, 'h1', clock, options.answer);
    const destination = stubAgent(broker, 'h2', clock);
    brain.start();
    running.push(brain);
    return { broker, bus, clock, core, brain, source, destination };
  }

  async function attached(options: Parameters<typeof house>[0] = {}) {
    const it = house(options);
    it.source.say({ kind: 'attach', facts: factsOf('h1') });
    it.destination.say({ kind: 'attach', facts: factsOf('h2', { runState: 'inmigrate' }) });
    await settle();
    return it;
  }

  const kinds = (inputs: readonly Input[]) =>
    inputs.filter(({ kind }) => kind !== 'tick').map(({ kind }) => kind);

  it('opens with both VMs, hosts that have spoken, the link and the order', async () => {
    const { brain, core, source } = await attached();
    source.say({ kind: 'host', sample: hostSample });
    await settle();
    brain.migrate(order);
    assert.deepEqual(kinds(core.inputs), ['attach', 'host', 'attach', 'link', 'order']);
    const last = core.inputs.at(-1);
    assert.ok(last?.kind === 'order' && last.order.verb === 'migrate');
    assert.deepEqual(last.order.endpoint, order.endpoint);
  });

  it('routes samples by side, and those of strangers nowhere', async () => {
    const { brain, core, source, destination } = await attached();
    brain.migrate(order);
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('active') });
    destination.say({ kind: 'migration', ref: factsOf('h2').ref, sample: sampleOf('setup') });
    const stranger = { ...factsOf('h1').ref, qemuPid: 999 };
    source.say({ kind: 'migration', ref: stranger, sample: sampleOf('failed') });
    await settle();
    const samples = core.inputs.filter((input) => input.kind === 'sample');
    assert.deepEqual(
      samples.map(({ side, sample }) => [side, sample.status]),
      [
        ['source', 'active'],
        ['destination', 'setup'],
      ],
    );
  });

  it('sends a decision as one command and feeds the answer back', async () => {
    const { brain, core, source, clock } = await attached({ decide: armOnOrder });
    const id = brain.migrate(order);
    await settle();
    const [command, ...others] = source.commands;
    assert.ok(command);
    assert.equal(others.length, 0);
    assert.equal(command.id, `${id}.1`);
    assert.equal(command.epoch, 7);
    assert.deepEqual(command.target, factsOf('h1').ref);
    assert.equal(command.expiresAtAgentMilliseconds, clock.monotonicMilliseconds() + 80_000);
    const result = core.inputs.find((input) => input.kind === 'result');
    assert.equal(result?.decision, 1);
    assert.equal(result.result.outcome, 'applied');
  });

  it('numbers the commands to a VM upwards', async () => {
    const twice: Decide = (input) => [...armOnOrder(input, never), ...armOnOrder(input, never)];
    const { brain, source } = await attached({ decide: twice });
    brain.migrate(order);
    await settle();
    const [first, second] = source.commands.map(({ sequence }) => sequence);
    assert.ok(first !== undefined && second !== undefined && second > first);
  });

  it('says failed when no agent answers, and indeterminate for an answer to something else', async () => {
    const confused = await attached({ decide: armOnOrder, answer: () => ({ id: 'other.1' }) });
    confused.brain.migrate(order);
    const away = await attached({ decide: armOnOrder });
    away.source.bus.setConnected(false);
    away.brain.migrate(order);
    const cut = await attached({ decide: armOnOrder });
    cut.bus.setConnected(false);
    cut.brain.migrate(order);
    await settle();
    const outcomes = [confused, away, cut].map(
      ({ core }) => core.inputs.find((input) => input.kind === 'result')?.result.outcome,
    );
    assert.deepEqual(outcomes, ['indeterminate', 'failed', 'failed']);
  });

  it('follows a destination that is started anew on the same monitor', async () => {
    const { brain, core, destination } = await attached();
    brain.migrate(order);
    const fresh = factsOf('h2', { ref: { ...factsOf('h2').ref, qemuPid: 200 } });
    destination.say({ kind: 'detach', ref: factsOf('h2').ref, reason: 'gone' });
    destination.say({ kind: 'attach', facts: fresh });
    destination.say({ kind: 'migration', ref: fresh.ref, sample: sampleOf('setup') });
    await settle();
    assert.deepEqual(kinds(core.inputs).slice(-3), ['detach', 'attach', 'sample']);
  });

  it('does not take another VM on that monitor for the destination', async () => {
    const { brain, core, destination } = await attached();
    brain.migrate(order);
    const other = factsOf('h2', { ref: { ...factsOf('h2').ref, uuid: uuid.replace('3', '4') } });
    destination.say({ kind: 'attach', facts: other });
    await settle();
    assert.equal(kinds(core.inputs).at(-1), 'order');
  });

  it('drops what is repeated or older than three periods, and counts what was lost', async () => {
    const { brain, core, source, clock } = await attached();
    brain.migrate(order);
    const { ref } = factsOf('h1');
    const agentNow = clock.monotonicMilliseconds() + 77_000;
    clock.advance(1_400);
    source.say(
      { kind: 'migration', ref, sample: sampleOf('active') },
      { agentMilliseconds: agentNow },
    );
    source.say(
      { kind: 'migration', ref, sample: sampleOf('device') },
      { agentMilliseconds: agentNow - 200 },
    );
    source.say({ kind: 'migration', ref, sample: sampleOf('completed') }, { skip: -1 });
    source.say({ kind: 'migration', ref, sample: sampleOf('active') }, { skip: 4 });
    await settle();
    assert.deepEqual(
      core.inputs.flatMap((input) => (input.kind === 'sample' ? input.sample.status : [])),
      ['active', 'active'],
    );
    const view = brain.hosts().find(({ host }) => host === 'h1');
    assert.equal(view?.lostMessages, 4);
    assert.equal(view.staleMessages, 1);
  });

  it('keeps the spacing that samples had at the agent, whatever the delay', async () => {
    const { brain, core, source, clock } = await attached();
    brain.migrate(order);
    const { ref } = factsOf('h1');
    const sentAt = clock.monotonicMilliseconds() + 77_000;
    for (const delay of [40, 0, 90]) {
      clock.advance(100);
      const agentMilliseconds = clock.monotonicMilliseconds() + 77_000 - delay;
      source.say({ kind: 'migration', ref, sample: sampleOf('active') }, { agentMilliseconds });
    }
    await settle();
    const times = core.inputs.flatMap((input) =>
      input.kind === 'sample' ? input.atMilliseconds : [],
    );
    const opened = core.inputs[0]?.atMilliseconds ?? NaN;
    assert.deepEqual(
      times.map((time) => time - opened),
      [60, 200, 210],
    );
    assert.ok(sentAt > 0);
  });

  it('believes a host only about itself', async () => {
    const { brain, core, broker } = await attached();
    brain.migrate(order);
    const header = {
      host: 'h1',
      agentBoot: 'boot-1',
      sequence: 50,
      atMilliseconds: 1,
      agentMilliseconds: 1,
    };
    const body = { kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('failed') } as const;
    broker.connect().publish('ferryman.v1.tel.h3', encodeTelemetry({ header, body }));
    broker.connect().publish('ferryman.v1.tel.h1', new Uint8Array([255, 1, 2]));
    await settle();
    assert.equal(kinds(core.inputs).at(-1), 'order');
  });

  it('keeps replayed telemetry from control and hands it to the listeners', async () => {
    const heard: string[] = [];
    const listener: Listener = { onTelemetry: ({ body }) => heard.push(body.kind) };
    const { brain, core, broker } = await attached({ listeners: [listener] });
    brain.migrate(order);
    const header = {
      host: 'h1',
      agentBoot: 'boot-1',
      sequence: 50,
      atMilliseconds: 1,
      agentMilliseconds: 1,
    };
    const body = { kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('failed') } as const;
    broker.connect().publish('ferryman.v1.tel.h1.replay', encodeTelemetry({ header, body }));
    await settle();
    assert.equal(kinds(core.inputs).at(-1), 'order');
    assert.equal(heard.at(-1), 'migration');
  });

  it('is not disturbed by a listener that throws', async () => {
    const settled: string[] = [];
    const broken: Listener = {
      onInput: () => {
        throw new Error('history is down');
      },
    };
    const listener: Listener = { onSettled: (_, { outcome }) => settled.push(outcome) };
    const { brain, source } = await attached({ listeners: [broken, listener] });
    brain.migrate(order);
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('completed') });
    await settle();
    assert.deepEqual(settled, ['completed']);
    assert.equal(brain.migrations()[0]?.phase, 'settled');
  });

  it('skips an input on which the core fails', async () => {
    const decide: Decide = (input) => {
      if (input.kind === 'activity') throw new Error('bug');
      return [];
    };
    const { brain, core, source } = await attached({ decide });
    brain.migrate(order);
    const activity = { vcpuBusyShare: 1, blockBytesPerSecond: 0, blockOperationsPerSecond: 0 };
    source.say({ kind: 'activity', ref: factsOf('h1').ref, activity });
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('active') });
    await settle();
    assert.equal(kinds(core.inputs).at(-1), 'sample');
  });

  it('turns down orders that cannot be, saying why', async () => {
    const { brain } = await attached();
    const refused = (change: Partial<typeof order>, code: string) => {
      assert.throws(() => brain.migrate({ ...order, ...change }), { code });
    };
    refused({ source: { host: 'h1', selector: 'nobody' } }, 'UNKNOWN_VM');
    refused({ source: { host: 'h9', selector: 'guest' } }, 'UNKNOWN_VM');
    refused({ destination: { host: 'h1', selector: uuid } }, 'SAME_VM');
    const id = brain.migrate(order);
    refused({}, 'VM_BUSY');
    refused({ id }, 'ID_TAKEN');
    assert.throws(
      () => {
        brain.abort('nope', 'x');
      },
      { code: 'UNKNOWN_MIGRATION' },
    );
  });

  it('refuses to send a VM into the QEMU of another', async () => {
    const { brain, destination } = await attached();
    const ref = { ...factsOf('h2').ref, uuid: uuid.replace('3', '4') };
    destination.say({ kind: 'attach', facts: factsOf('h2', { ref }) });
    await settle();
    assert.throws(() => brain.migrate(order), { code: 'UUID_MISMATCH' });
  });

  it('passes an abort on to the core', async () => {
    const { brain, core } = await attached();
    const id = brain.migrate(order);
    brain.abort(id, 'operator');
    const last = core.inputs.at(-1);
    assert.ok(last?.kind === 'order' && last.order.verb === 'abort');
  });

  it('ticks migrations in hand and sends the beacon', async () => {
    const { brain, core, broker } = await attached();
    const epochs: number[] = [];
    broker.connect().subscribe('ferryman.v1.lead.>', (_, payload) => {
      epochs.push(decodeBeacon(payload).epoch);
    });
    brain.migrate(order);
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.ok(core.inputs.some(({ kind }) => kind === 'tick'));
    assert.ok(epochs.includes(7));
  });
});

/** The stub does not look at the migration. */
const never = undefined as never;
