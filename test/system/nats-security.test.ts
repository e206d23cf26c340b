/** What deploy/nats promises, asked of a real nats-server: who may speak as whom, and who may listen. */
import assert from 'node:assert/strict';
import { connect, nkeyAuthenticator, nkeys, type NatsConnection } from 'nats';
import { natsBus } from '../../shared/nats-bus.ts';
import { startSecuredBus, type SecuredBus } from './secured-bus.ts';
import { createStage, until } from './support.ts';

interface Client {
  readonly connection: NatsConnection;
  /** What the server said it does not allow. */
  readonly refused: string[];
}

describe('NATS as deployed', () => {
  const stage = createStage();
  let bus: SecuredBus;
  /** Subjects that the server let through to anybody. */
  const seen: string[] = [];

  const clientOf = async (name: string, inboxPrefix: string): Promise<Client> => {
    const connection = await connect({
      servers: bus.url,
      tls: { caFile: bus.caFile },
      authenticator: nkeyAuthenticator(new TextEncoder().encode(bus.seed(name))),
      inboxPrefix,
      reconnect: false,
    });
    const refused: string[] = [];
    const listen = async () => {
      for await (const status of connection.status()) {
        if (status.type === 'error') refused.push(status.error.message);
      }
    };
    const listening = listen();
    stage.undo(() => connection.close().then(() => listening));
    return { connection, refused };
  };

  before(async () => {
    bus = await startSecuredBus(stage);
    const { connection: witness } = await clientOf('witness', '_INBOX_witness');
    witness.subscribe('>', { callback: (_error, { subject }) => void seen.push(subject) });
    await witness.flush();
  });
  after(() => stage.clear());

  /** Publishes and returns whether the server let it through. */
  const isLetThrough = async ({ connection, refused }: Client, subject: string) => {
    seen.length = 0;
    refused.length = 0;
    connection.publish(subject, 'x');
    await connection.flush();
    await until(`a word on ${subject}`, () => seen.length + refused.length > 0, 5000);
    if (seen.length === 0) assert.match(refused.join(), /Permissions Violation for Publish/i);
    return seen.includes(subject);
  };

  /** Subscribes and returns whether the server allows it. */
  const isHeard = async ({ connection }: Client, subject: string): Promise<boolean> => {
    let refusal: Error | undefined;
    const subscription = connection.subscribe(subject, {
      callback: (error) => {
        if (error instanceof Error) refusal = error;
      },
    });
    // The answer to the flush comes after that to the subscription.
    await connection.flush();
    subscription.unsubscribe();
    if (refusal) assert.match(refusal.message, /Permissions Violation for Subscription/i);
    return refusal === undefined;
  };

  it('lets a host publish as itself, and as nobody else', async () => {
    const host = await clientOf('host-1', '_INBOX_agent_host-1');
    for (const kind of ['attach', 'migration', 'replay']) {
      assert.equal(await isLetThrough(host, `ferryman.v1.tel.host-1.${kind}`), true);
    }
    for (const forged of [
      'ferryman.v1.tel.host-2.migration',
      'ferryman.v1.tel.host-2.replay',
      'ferryman.v1.tel.host-10.migration',
      'ferryman.v1.cmd.host-1',
      'ferryman.v1.cmd.host-2',
      'ferryman.v1.lead.brain-1',
      'ferryman.v1.hist.brain-1',
      'ferryman.v1.op.migrate',
      '_INBOX_brain_brain-1.guessed.1',
      '_INBOX_agent_host-2.guessed.1',
      '$JS.API.STREAM.PURGE.FERRYMAN_HISTORY',
      '$JS.API.STREAM.INFO.FERRYMAN_HISTORY',
      '$KV.ferryman.leader',
      '$JS.API.STREAM.MSG.GET.KV_ferryman',
      '$JS.API.STREAM.MSG.DELETE.KV_ferryman',
    ]) {
      assert.equal(await isLetThrough(host, forged), false, forged);
    }
  });

  it('lets a host hear its own commands and brains, and nothing of others', async () => {
    const host = await clientOf('host-1', '_INBOX_agent_host-1');
    for (const own of ['ferryman.v1.cmd.host-1', 'ferryman.v1.lead.>', '_INBOX_agent_host-1.x.*']) {
      assert.equal(await isHeard(host, own), true, own);
    }
    for (const foreign of [
      'ferryman.v1.cmd.host-2',
      'ferryman.v1.cmd.*',
      'ferryman.v1.tel.host-2.>',
      'ferryman.v1.op.>',
      '_INBOX.>',
      '_INBOX_brain_brain-1.>',
      '>',
    ]) {
      assert.equal(await isHeard(host, foreign), false, foreign);
    }
  });

  it('writes down who tried', () => {
    const forged = bus.violations().filter((line) => line.includes('ferryman.v1.tel.host-2'));
    assert.ok(forged.length >= 2, bus.violations().join('\n'));
  });

  it('keeps operators to the desk, and brains from purging history or speaking as a host', async () => {
    const operator = await clientOf('alice', '_INBOX');
    assert.equal(await isLetThrough(operator, 'ferryman.v1.op.list'), true);
    assert.equal(await isLetThrough(operator, 'ferryman.v1.cmd.host-1'), false);
    assert.equal(await isHeard(operator, '_INBOX_brain_brain-1.>'), false);
    const brain = await clientOf('brain-1', '_INBOX_brain_brain-1');
    assert.equal(await isLetThrough(brain, 'ferryman.v1.cmd.host-1'), true);
    assert.equal(await isLetThrough(brain, 'ferryman.v1.lead.brain-2'), false);
    assert.equal(await isLetThrough(brain, 'ferryman.v1.tel.host-1.host'), false);
    for (const stream of ['FERRYMAN_HISTORY', 'KV_ferryman']) {
      for (const call of ['PURGE', 'DELETE', 'UPDATE']) {
        assert.equal(await isLetThrough(brain, `$JS.API.STREAM.${call}.${stream}`), false, call);
      }
    }
  });

  it('lets nobody in without a key that it knows, without TLS, or under a name that is not its own', async () => {
    const stranger = new TextDecoder().decode(nkeys.createUser().getSeed());
    const tls = { caFile: bus.caFile };
    const known = { kind: 'nkey', seed: bus.seed('host-1') } as const;
    const unknown = { kind: 'nkey', seed: stranger } as const;
    const password = { kind: 'password', user: 'host-1', password: 'x' } as const;
    const open = (options: Partial<Parameters<typeof natsBus>[0]>) =>
      natsBus({ url: bus.url, name: 'stranger', ...options });
    await assert.rejects(open({ tls, credentials: unknown }), { code: 'REFUSED' });
    await assert.rejects(open({ tls, credentials: password }), { code: 'REFUSED' });
    await assert.rejects(open({ tls }), { code: 'REFUSED' });
    // Signed by an authority that we do not trust.
    await assert.rejects(open({ credentials: known }), { name: 'BusError' });
    const wrongName = `tls://127.0.0.2:${bus.port}`;
    await assert.rejects(open({ url: wrongName, tls, credentials: known }), { name: 'BusError' });
    const good = await open({ tls, credentials: known });
    await good.close();
  });
});
