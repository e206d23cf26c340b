import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Monitor, MonitorEvent } from '../../../agent/monitor/monitor.ts';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import type { QmpLimits } from '../../../agent/monitor/qmp/client.ts';
import {
  BadReplyError,
  ConnectionLostError,
  ExecuteError,
  GreetingError,
  NegotiationError,
  TimeoutError,
} from '../../../agent/monitor/qmp/errors.ts';
import { fakeQmp, type FakeQmpOptions, type FakeQmpServer } from '../../fakes/qmp-server.ts';

describe('openQmp', () => {
  let server: FakeQmpServer | undefined;
  let monitor: Monitor | undefined;

  async function serve(options: FakeQmpOptions): Promise<FakeQmpServer> {
    return (server = await fakeQmp(options));
  }

  async function open(
    options: FakeQmpOptions,
    limits: Partial<QmpLimits> = {},
  ): Promise<[FakeQmpServer, Monitor]> {
    const started = await serve(options);
    return [started, (monitor = await openQmp(started.path, limits))];
  }

  function closeReason(of: Monitor): Promise<Error> {
    return new Promise((resolve) => {
      of.onClose(resolve);
    });
  }

  afterEach(async () => {
    monitor?.close();
    await server?.stop();
    monitor = server = undefined;
  });

  it('negotiates with oob where it is offered, and without where it is not', async () => {
    for (const [outOfBand, enable] of [
      [true, ['oob']],
      [false, []],
    ] as const) {
      const [fake] = await open({ outOfBand });
      assert.deepEqual(fake.received[0]?.arguments, { enable });
      monitor?.close();
      await fake.stop();
    }
    server = undefined;
  });

  it('answers each command with its own reply, also out of order', async () => {
    const [fake, client] = await open({
      answer: ({ command }) => (command === 'qmp_capabilities' ? { return: {} } : 'hang'),
    });
    const replies = ['a', 'b', 'c'].map((command) => client.execute(command, {}, 2000));
    while (fake.commands().length < 3) await sleep(1);
    for (const { id, command } of fake.received.slice(1).reverse()) {
      fake.sendRaw(`${JSON.stringify({ return: command, id })}\n`);
    }
    assert.deepEqual(await Promise.all(replies), ['a', 'b', 'c']);
  });

  it('sends commands for a stuck main loop out of band', async () => {
    const [fake, client] = await open({ answer: () => ({ return: {} }) });
    await client.execute('migrate-pause');
    await client.execute('query-status');
    assert.deepEqual(
      fake.received.map(({ verb }) => verb),
      ['execute', 'exec-oob', 'execute'],
    );
  });

  it('reports a refusal in the words of QEMU and stays connected', async () => {
    const [, client] = await open({
      answer: ({ command }) =>
        command === 'migrate'
          ? { error: { class: 'GenericError', desc: 'no such bridge' } }
          : { return: 1 },
    });
    await assert.rejects(client.execute('migrate'), (error: unknown) => {
      assert(error instanceof ExecuteError);
      assert.equal(error.code, 'EXECUTE');
      assert.equal(error.class, 'GenericError');
      assert.equal(error.description, 'no such bridge');
      assert.equal(error.command, 'migrate');
      return true;
    });
    assert.equal(await client.execute('query-status'), 1);
  });

  it('hands out events with their data', async () => {
    const [fake, client] = await open({});
    const seen = new Promise<MonitorEvent>((resolve) => {
      client.onEvent(resolve);
    });
    fake.sendEvent('MIGRATION', { status: 'setup' });
    const { name, data } = await seen;
    assert.deepEqual({ name, data }, { name: 'MIGRATION', data: { status: 'setup' } });
  });

  it('says who may hold the monitor when no greeting comes', async () => {
    const { path } = await serve({ greeting: false });
    await assert.rejects(openQmp(path, { greetingTimeoutMilliseconds: 50 }), (error: unknown) => {
      assert(error instanceof GreetingError);
      assert(error.message.includes(path));
      assert.match(error.message, /another client holds this monitor/);
      return true;
    });
  });

  it('says how to start QEMU when nobody listens', async () => {
    await assert.rejects(openQmp('/nonexistent/monitor.sock'), (error: unknown) => {
      assert(error instanceof ConnectionLostError);
      assert.match(error.message, /-qmp unix:\/nonexistent\/monitor\.sock,server=on,wait=off/);
      return true;
    });
  });

  it('gives up when the capabilities negotiation is refused', async () => {
    const { path } = await serve({ answer: () => ({ error: { desc: 'no' } }) });
    await assert.rejects(openQmp(path), NegotiationError);
  });

  it('rejects a command at its timeout and drops the late reply', async () => {
    let hang = true;
    const [fake, client] = await open({
      answer: ({ command }) => (command === 'slow' && hang ? 'hang' : { return: command }),
    });
    await assert.rejects(client.execute('slow', {}, 20), TimeoutError);
    while (fake.commands().length === 0) await sleep(1);
    hang = false;
    const late = fake.received.at(-1);
    fake.sendRaw(`${JSON.stringify({ return: 'late', id: late?.id })}\n`);
    assert.equal(await client.execute('quick'), 'quick');
  });

  it('gives up a QEMU that leaves command after command unanswered', async () => {
    const [, client] = await open(
      { answer: ({ command }) => (command === 'qmp_capabilities' ? { return: {} } : 'hang') },
      { maxUnanswered: 2 },
    );
    const reason = closeReason(client);
    await assert.rejects(client.execute('first', {}, 10), TimeoutError);
    await assert.rejects(client.execute('second', {}, 10), TimeoutError);
    assert.match((await reason).message, /hangs: 2 commands/);
    await assert.rejects(client.execute('third'), /third was not sent: not connected/);
  });

  it('rejects what was under way when the connection ends mid-reply', async () => {
    const [fake, client] = await open({
      answer: ({ command }) => {
        if (command === 'qmp_capabilities') return { return: {} };
        server?.sendRaw('{"return": {"status": "act');
        return 'close';
      },
    });
    const reason = closeReason(client);
    await assert.rejects(client.execute('query-migrate'), ConnectionLostError);
    assert((await reason) instanceof ConnectionLostError);
    assert.deepEqual(fake.commands(), ['query-migrate']);
  });

  const breaches: [what: string, text: string, complaint: RegExp][] = [
    ['garbage', '\u0000\u0001 hello\n', /not JSON/],
    ['JSON that is no object', '[1, 2]\n', /not a JSON object/],
    ['an object that is no QMP', '{"hello": 1}\n', /neither greeting, reply nor event/],
    ['an id that was never sent', '{"return": {}, "id": 4711}\n', /no command with id 4711/],
    ['a reply without id', '{"return": {}}\n', /without the id/],
    ['a refusal without id', '{"error": {"class": "GenericError", "desc": "x"}}\n', /undefined/],
  ];
  for (const [what, text, complaint] of breaches) {
    it(`closes on ${what}, naming the socket`, async () => {
      const [fake, client] = await open({});
      const reason = closeReason(client);
      fake.sendRaw(text);
      const error = await reason;
      assert(error instanceof BadReplyError);
      assert(error.message.startsWith(fake.path));
      assert.match(error.message, complaint);
    });
  }

  it('closes on an endless line long before it fills the memory', async () => {
    const [fake, client] = await open({});
    const reason = closeReason(client);
    const before = process.memoryUsage().rss;
    const chunk = Buffer.alloc(256 * 1024, 'x');
    for (let sent = 0; sent < 64 * 1024 * 1024; sent += chunk.length) {
      fake.sendRaw(chunk);
      if (sent % (1024 * 1024) === 0) await sleep(0);
    }
    assert.match((await reason).message, /longer than 1048576 bytes/);
    assert(process.memoryUsage().rss - before < 96 * 1024 * 1024);
  });

  it('closes on a flood of events', async () => {
    const [fake, client] = await open({}, { maxEventsPerSecond: 100 });
    let events = 0;
    client.onEvent(() => events++);
    const reason = closeReason(client);
    fake.sendRaw('{"event": "RTC_CHANGE"}\n'.repeat(1000));
    assert.match((await reason).message, /more than 100 events in one second.*RTC_CHANGE/);
    assert.equal(events, 100);
  });

  it('keeps replies and events apart when they come interleaved', async () => {
    const [, client] = await open({
      answer: ({ command }) => {
        for (let count = 0; count < 50; count++) server?.sendEvent('STOP');
        return { return: command };
      },
    });
    const names = Array.from({ length: 20 }, (_, index) => `command-${String(index)}`);
    assert.deepEqual(await Promise.all(names.map((name) => client.execute(name))), names);
  });

  it('tells a late listener why the monitor closed', async () => {
    const [, client] = await open({});
    client.close();
    assert.match((await closeReason(client)).message, /closed by ferryman/);
  });
});
