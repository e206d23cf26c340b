import assert from 'node:assert/strict';
import type { Decision } from '../../../brain/core/decision.ts';
import { lineOf } from '../../../brain/history/line.ts';
import { createPointSource } from '../../../brain/history/point-source.ts';
import type { Listener } from '../../../brain/listeners.ts';
import type { Telemetry } from '../../../shared/telemetry.ts';
import { factsOf, hostSample, resultOf, sampleOf, startStub, uuid } from '../fixtures.ts';

describe('brain/history/point-source', () => {
  interface Heard {
    readonly listener: Listener;
    readonly lines: string[];
    tell(message: Telemetry): void;
  }

  function listen(): Heard {
    const lines: string[] = [];
    const keep = (parts: Parameters<typeof lineOf>[0]) => void lines.push(lineOf(parts) ?? '');
    const { listener, telemetry } = createPointSource(keep);
    const tell = (message: Telemetry) => {
      telemetry(message).forEach(keep);
    };
    return { listener, lines, tell };
  }

  const header = {
    host: 'h1',
    agentBoot: 'b',
    sequence: 1,
    atMilliseconds: 5,
    agentMilliseconds: 0,
  };
  const { ref } = factsOf('h1');
  const body = { kind: 'migration', ref, sample: sampleOf('active') } as const;
  const migration = {
    ...startStub({ id: 'm1', policy: 'stub', atMilliseconds: 0 }),
    source: factsOf('h1'),
    nowMilliseconds: 1_000,
  };

  it('tells of what it inherits as the brain that saw it would have', () => {
    const decision: Decision = {
      number: 1,
      atMilliseconds: 500,
      side: 'source',
      operation: { kind: 'cancel' },
      method: 'plan',
      rule: 'stop',
      evidence: {},
    };
    const settled = { ...migration, decisions: [{ decision, outcome: 'applied' as const }] };
    const result = resultOf(settled);
    const [first, second] = [listen(), listen()];
    first.listener.onDecision?.(settled, decision);
    const answer = { id: 'm1.1', outcome: 'applied' } as const;
    const input = { kind: 'result', atMilliseconds: 600, decision: 1, result: answer } as const;
    first.listener.onInput?.(settled, input);
    const ended = { ...settled, result };
    first.listener.onSettled?.(ended, result);
    second.listener.onInherited?.(ended);
    assert.ok(first.lines.length >= 3);
    assert.deepEqual(second.lines.toSorted(), first.lines.toSorted());
  });

  it('files samples under the migration their QEMU is in, whenever they come', () => {
    const { listener, lines, tell } = listen();
    const attach = {
      kind: 'attach',
      atMilliseconds: 20_000,
      side: 'source',
      facts: factsOf('h1'),
    } as const;
    const later = { ...migration, nowMilliseconds: 30_000 };
    const say = (atMilliseconds: number) => {
      tell({ header: { ...header, agentBoot: 'later', atMilliseconds }, body });
    };
    say(20_001);
    listener.onInput?.(migration, attach);
    listener.onSettled?.(later, resultOf(later));
    for (const atMilliseconds of [1, 20_001, 30_001, 60_000]) say(atMilliseconds);
    const samples = lines.filter((line) => line.startsWith('ferryman_sample'));
    const series = new Set(samples.map((line) => line.split(' ')[0]));
    assert.deepEqual([...series], [`ferryman_sample,host=h1,qemu=100,vm=${uuid}`]);
    assert.deepEqual(
      samples.map((line) => line.includes('migration="m1",side="source"')),
      [false, false, true, true, false],
    );
  });

  it('gives a sample the same place whether or not its migration is known', () => {
    const { listener, lines, tell } = listen();
    tell({ header, body });
    const facts = factsOf('h1');
    listener.onInput?.(migration, { kind: 'attach', atMilliseconds: 0, side: 'source', facts });
    tell({ header, body });
    const places = lines.map((line) => [line.split(' ')[0], line.split(' ').at(-1)].join(' '));
    assert.equal(places[0], places[1]);
    tell({ header: { ...header, sequence: 2 }, body });
    assert.notEqual(lines[2]?.split(' ').at(-1), lines[0]?.split(' ').at(-1));
  });

  it('completes the point of a decision with its outcome', () => {
    const { listener, lines } = listen();
    const decision = {
      number: 1,
      atMilliseconds: 70,
      side: 'source',
      operation: { kind: 'cancel' },
      method: 'plan',
      rule: 'stalled',
      evidence: { remainingBytes: 12 },
    } as const;
    const result = { id: 'm1.1', outcome: 'refused', reason: 'too late' } as const;
    listener.onDecision?.(migration, decision);
    listener.onInput?.(
      { ...migration, decisions: [{ decision }] },
      { kind: 'result', atMilliseconds: 80, decision: 1, result },
    );
    const [first, second] = lines.map((line) => line.split(' '));
    assert.equal(first?.[0], second?.[0]);
    assert.equal(first?.at(-1), second?.at(-1));
    assert.match(lines[1] ?? '', /outcome="refused",reason="too late"/);
  });

  it('keeps what was measured of a prediction at the time of its decision', () => {
    const { listener, lines } = listen();
    const decision = {
      number: 3,
      atMilliseconds: 70,
      side: 'source',
      operation: { kind: 'cancel' },
      method: 'xbzrle',
      rule: 'least-predicted-cost',
      evidence: {},
      prediction: { totalMilliseconds: 2400 },
    } as const;
    const measured = { outcome: 'completed', totalMilliseconds: 2800 };
    const decisions = [{ decision, measured }, { decision: { ...decision, number: 4 } }];
    listener.onSettled?.({ ...migration, decisions }, resultOf(migration));
    const [effect, ...others] = lines.filter((line) => line.startsWith('ferryman_effect'));
    assert.equal(others.length, 0);
    assert.match(effect ?? '', /^ferryman_effect,host=h1,method=xbzrle,migration=m1/);
    assert.match(effect ?? '', /measured_total_seconds=2\.8/);
    assert.match(effect ?? '', /predicted_total_seconds=2\.4/);
    assert.match(effect ?? '', / 70000003$/);
  });

  it('has room for the worst of names, and for a VM of many disks', () => {
    const disk = { device: 'vda', location: '/x'.repeat(100), storage: 'shared' } as const;
    const storage = { disks: Array.from({ length: 1_000 }, () => disk) };
    const facts = { ...factsOf('h1'), name: '\0'.repeat(4096), storage };
    const { listener, lines } = listen();
    listener.onSettled?.({ ...migration, source: facts, destination: facts }, resultOf(migration));
    assert.match(lines[0] ?? '', /document=/);
    assert.ok(Buffer.byteLength(lines[0] ?? '') < 63 * 1024);
  });

  it('writes a host and each of its NICs', () => {
    const { lines, tell } = listen();
    tell({ header, body: { kind: 'host', sample: hostSample } });
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['ferryman_host,host=h1', 'ferryman_nic,host=h1,nic=eth0'],
    );
  });
});
