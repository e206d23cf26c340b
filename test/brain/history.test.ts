import assert from 'node:assert/strict';
import { historyListener } from '../../brain/history.ts';
import { lineOf } from '../../brain/history/line.ts';
import type { Listener } from '../../brain/listeners.ts';
import { factsOf, hostSample, resultOf, sampleOf, startStub, uuid } from './fixtures.ts';

describe('brain/history', () => {
  function listen(): { listener: Listener; lines: string[] } {
    const lines: string[] = [];
    return { listener: historyListener((parts) => lines.push(lineOf(parts) ?? '')), lines };
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

  it('files samples under the migration their QEMU is in, until some time after its end', () => {
    const { listener, lines } = listen();
    const attach = {
      kind: 'attach',
      atMilliseconds: 0,
      side: 'source',
      facts: factsOf('h1'),
    } as const;
    const say = (atMilliseconds: number) => {
      listener.onTelemetry?.({ header: { ...header, agentBoot: 'later', atMilliseconds }, body });
    };
    say(5);
    listener.onInput?.(migration, attach);
    say(6);
    listener.onSettled?.(migration, resultOf(migration));
    say(7);
    say(60_000);
    const tags = lines
      .filter((line) => line.startsWith('ferryman_sample'))
      .map((line) => line.split(' ')[0]);
    const atRest = `ferryman_sample,host=h1,vm=${uuid}`;
    const under = `ferryman_sample,host=h1,migration=m1,side=source,vm=${uuid}`;
    assert.deepEqual(tags, [atRest, under, under, atRest]);
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
    assert.match(effect ?? '', / 70$/);
  });

  it('writes a host and each of its NICs', () => {
    const { listener, lines } = listen();
    listener.onTelemetry?.({ header, body: { kind: 'host', sample: hostSample } });
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['ferryman_host,host=h1', 'ferryman_nic,host=h1,nic=eth0'],
    );
  });
});
