import assert from 'node:assert/strict';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import { startNatsServer } from '../../cli/nats-server.ts';
import type { Bus } from '../../shared/bus.ts';
import { decodeBeacon, encodeTelemetry } from '../../shared/codec.ts';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import { runBrain } from '../../brain/main.ts';
import { factsOf, order } from '../brain/fixtures.ts';

describe('the brain as a daemon, on a real NATS server', function () {
  this.timeout(15_000);
  const undo: (() => unknown)[] = [];
  let bus: Bus;

  before(async function () {
    if (!isExecutable(tools().natsServer)) this.skip();
    const server = await startNatsServer();
    undo.push(() => server.stop());
    bus = await natsBus({ ...server, name: 'operator' });
    undo.push(() => bus.close());
    const { url, credentials } = server;
    const nats = { url, credentials };
    const brain = await runBrain(
      { brain: 'b1', mode: 'act', hosts: [], rules: [], policy: 'adaptive', nats },
      silentLog,
    );
    undo.push(() => brain.stop());
  });

  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  const ask = async (verb: string, body: object) => {
    const payload = new TextEncoder().encode(JSON.stringify(body));
    const reply = await bus.request(`ferryman.v1.op.${verb}`, payload, 2_000);
    return JSON.parse(new TextDecoder().decode(reply)) as Readonly<Record<string, unknown>>;
  };

  it('sends its beacon', async () => {
    const beacon = await new Promise<Uint8Array>((resolve) => {
      bus.subscribe('ferryman.v1.lead.>', (_, payload) => {
        resolve(payload);
      });
    });
    assert.equal(decodeBeacon(beacon).brain, 'b1');
  });

  it('takes orders for VMs it has heard of, and no others', async () => {
    const { policy: _, ...wanted } = order;
    assert.equal((await ask('migrate', wanted))['code'], 'UNKNOWN_VM');
    for (const host of ['h1', 'h2']) {
      const header = {
        host,
        agentBoot: 'boot-1',
        sequence: 1,
        atMilliseconds: systemClock.wallMilliseconds(),
        agentMilliseconds: systemClock.monotonicMilliseconds(),
      };
      const body = { kind: 'attach', facts: factsOf(host) } as const;
      bus.publish(`ferryman.v1.tel.${host}`, encodeTelemetry({ header, body }));
    }
    const bad = await ask('migrate', { ...wanted, policy: 'wishful' });
    assert.deepEqual(
      [bad['code'], String(bad['message']).includes('adaptive')],
      ['UNKNOWN_POLICY', true],
    );
    const { ok, id } = await ask('migrate', wanted);
    assert.equal(ok, true);
    const { migrations } = await ask('list', {});
    assert.equal((migrations as { id: unknown }[])[0]?.id, id);
    assert.deepEqual(await ask('abort', { id }), { ok: true, id });
  });
});
