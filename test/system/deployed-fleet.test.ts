/** The fleet as deploy/ has it: health, metrics, rights, signals. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import { natsBus } from '../../shared/nats-bus.ts';
import { deployed, hasLine, startFleet, type Fleet } from './deployed-fleet.ts';
import { build, createStage, until, type Line } from './support.ts';

const stage = createStage();

/** Names of all figures that a daemon has. */
const figuresIn = (text: string) => [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);

describe('the fleet as deployed', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  before(async () => {
    build();
    fleet = await startFleet(stage);
    await until('both VMs are seen', () => hasLine(fleet.brain, 'ferryman_vms 2'));
  });
  after(() => stage.clear());

  it('comes up with no right refused, healthy and ready', async () => {
    const { agents, brain } = fleet;
    assert.ok(await hasLine(brain, 'ferryman_agents_up 2'));
    for (const daemon of [...agents, brain]) {
      assert.equal((await daemon.get('/healthz')).status, 200);
      assert.equal((await daemon.get('/readyz')).status, 200);
      await until('the brain is heard', () =>
        daemon === brain ? true : hasLine(daemon, 'ferryman_agent_brain_heard 1'),
      );
    }
  });

  it('carries an operator’s order to an agent and back, and says so in logs and metrics', async () => {
    const { bus, agents, brain, qemus } = fleet;
    const operator = await natsBus({
      url: bus.url,
      name: 'alice',
      credentials: { kind: 'nkey', seed: bus.seed('alice') },
      tls: { caFile: bus.caFile },
    });
    stage.undo(() => operator.close());
    const order = {
      id: 'm1',
      policy: 'none',
      source: { host: 'host-1', selector: qemus[0].server.path },
      destination: { host: 'host-2', selector: qemus[1].server.path },
      endpoint: { kind: 'tcp', host: '127.0.0.1', port: 49152 },
      objective: { throttle: 'qemu' },
    };
    const payload = new TextEncoder().encode(JSON.stringify(order));
    const reply = await operator.request('ferryman.v1.op.migrate', payload, 5000);
    assert.match(new TextDecoder().decode(reply), /"ok":true/);
    const applied = 'ferryman_commands_total{operation="migrate",outcome="applied"} 1';
    await until('the source is told to migrate', () => hasLine(brain, applied));
    const [source] = agents;
    assert.ok(await hasLine(source, applied.replace('_commands', '_agent_commands')));
    const isOf = (line: Line) => line['migration'] === 'm1' && line['operation'] === 'migrate';
    const decided = brain.log().find(isOf);
    const done = source.log().find(isOf);
    assert.equal(typeof decided?.['decision'], 'number');
    for (const key of ['decision', 'vm', 'host']) assert.equal(done?.[key], decided?.[key], key);
    assert.equal(done?.['host'], 'host-1');
  });

  it('has no right missing, nor tries what it has none to, also for the stream of its history', async () => {
    const { bus, agents, brain } = fleet;
    const written = /^ferryman_history_written_lines_total [1-9]/m;
    await until('history is written', async () => written.test((await brain.get('/metrics')).text));
    assert.deepEqual(bus.violations(), []);
    for (const { log } of [...agents, brain]) {
      const complaints = log().filter(({ msg }) => /refuses|JetStream/.test(String(msg)));
      assert.deepEqual(complaints, []);
    }
  });

  it('keeps to the customs of Prometheus, and has every figure that the alert rules ask for', async function () {
    const { agents, brain } = fleet;
    const texts = [await agents[0].get('/metrics'), await brain.get('/metrics')];
    for (const { text } of texts) {
      const { stdout, status } = spawnSync(tools().promtool, ['check', 'metrics'], { input: text });
      assert.equal(status, 0, stdout.toString());
    }
    const known = new Set(texts.flatMap(({ text }) => figuresIn(text)));
    const rules = readFileSync(join(projectRoot, 'deploy/prometheus/ferryman.rules.yml'), 'utf8');
    const asked = new Set([...rules.matchAll(/\bferryman_\w+/g)].map(([name]) => name));
    assert.ok(asked.size > 5);
    assert.deepEqual(
      [...asked].filter((name) => !known.has(name)),
      [],
    );
  });

  it('answers an operator with a key of its own, and takes another mode by SIGHUP', async () => {
    const { bus, brain } = fleet;
    const config = join(stage.folder(), 'ferryman.yaml');
    const example = readFileSync(deployed('client.yaml'), 'utf8');
    const text = example
      .replace('tls://nats.example:4222', bus.url)
      .replace('/etc/ferryman/operator.seed', bus.seedFile('alice'))
      .replace('/etc/ferryman/nats-ca.pem', bus.caFile);
    writeFileSync(config, text);
    const modes = async () => {
      const list = stage.ferryman('list', '--json', '--config', config);
      assert.equal(await list.code, 0, list.messages());
      return list.lines.filter(({ type }) => type === 'vm').map(({ mode }) => mode);
    };
    assert.deepEqual(await modes(), ['act', 'act']);
    writeFileSync(
      brain.file,
      readFileSync(brain.file, 'utf8').replace('mode: act', 'mode: observe'),
    );
    brain.process.child.kill('SIGHUP');
    await until('it is read', () =>
      brain.log().some(({ msg }) => String(msg).includes('read again')),
    );
    assert.deepEqual(await modes(), ['observe', 'observe']);
  });

  it('keeps what it has when SIGHUP finds a bad configuration, and takes a good one', async () => {
    const { agents, policyFile } = fleet;
    const [agent] = agents;
    const good = readFileSync(agent.file, 'utf8');
    const said = (message: RegExp) => agent.log().filter(({ msg }) => message.test(String(msg)));
    writeFileSync(agent.file, `${good}\nspeed: 9\n`);
    agent.process.child.kill('SIGHUP');
    await until('it refuses', () => said(/the old one stays/).length === 1);
    const { problem } = said(/the old one stays/)[0] ?? {};
    assert.match(String(problem), /host-1\.yaml:\d+: speed: no such setting/);
    assert.equal((await agent.get('/readyz')).status, 200);
    writeFileSync(agent.file, good.replace('logLevel: info', 'logLevel: debug'));
    agent.process.child.kill('SIGHUP');
    await until('it takes it', () => said(/read again/).length === 1);
    assert.deepEqual(said(/only with a restart/), []);
    writeFileSync(policyFile, 'maxThrottlePercent: 200\n');
    agent.process.child.kill('SIGHUP');
    await until('it refuses', () => said(/the old one stays/).length === 2);
    assert.match(String(said(/the old one stays/)[1]?.['problem']), /policy\.yaml:1: maxThrottle/);
  });

  it('is not ready without NATS, and still ends when told to', async () => {
    const { bus, agents, brain } = fleet;
    await bus.kill();
    for (const daemon of [...agents, brain]) {
      await until('it says so', async () => (await daemon.get('/readyz')).status === 503);
      assert.equal((await daemon.get('/healthz')).status, 200);
      daemon.process.child.kill('SIGTERM');
    }
    for (const { process } of [...agents, brain]) assert.equal(await process.code, 0);
  });
});
