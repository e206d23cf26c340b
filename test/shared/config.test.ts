import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAgentConfig, loadBrainConfig, maskSecrets } from '../../shared/config.ts';

describe('shared/config', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, text: string, mode = 0o600) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  const agentFile = (...lines: string[]) => write('agent.yaml', `${lines.join('\n')}\n`);
  const qmp = 'qmp: { directory: /run/qmp }';

  it('reads an agent, with its secret from a file', () => {
    const passwordFile = write('password', 'hunter2\n');
    const file = agentFile(
      'host: Node-1.example',
      'nats:',
      '  url: tls://nats.example:4222',
      '  user: node-1',
      `  passwordFile: ${passwordFile}`,
      '  caFile: /etc/ferryman/ca.pem',
      qmp,
    );
    const config = loadAgentConfig(file, {});
    assert.deepEqual(config, {
      host: 'node-1_example',
      nats: {
        url: 'tls://nats.example:4222',
        credentials: { kind: 'password', user: 'node-1', password: 'hunter2' },
        tls: { caFile: '/etc/ferryman/ca.pem' },
      },
      qmp: { directory: '/run/qmp', sockets: [] },
      stateDirectory: '/var/lib/ferryman',
    });
    assert.doesNotMatch(JSON.stringify(maskSecrets(config)), /hunter2/);
    assert.equal(maskSecrets(config).nats.url, config.nats.url);
  });

  it('takes a libvirt to watch instead of sockets', () => {
    const { libvirt, qmp: sockets } = loadAgentConfig(
      agentFile('nats: { url: nats://n:4222 }', 'libvirt: {}'),
      {},
    );
    assert.deepEqual([libvirt, sockets], [{ uri: 'qemu:///system' }, undefined]);
  });

  it('only advises until told to act', () => {
    const tokenFile = write('token', 't0ken');
    const file = write(
      'brain.yaml',
      `nats: { url: nats://n:4222 }\ninflux: { flavor: v1, url: http://i:8086, database: f, tokenFile: ${tokenFile} }\n`,
    );
    const { mode, policy, influx } = loadBrainConfig(file, {});
    assert.deepEqual([mode, policy], ['advise', 'adaptive']);
    assert.deepEqual(influx, { flavor: 'v1', url: 'http://i:8086', database: 'f', token: 't0ken' });
    assert.equal(loadBrainConfig(file, { FERRYMAN_MODE: 'act' }).mode, 'act');
  });

  it('lets the environment prevail, and names it when it is wrong', () => {
    const file = agentFile('nats: { url: nats://n:4222 }', qmp);
    const good = { FERRYMAN_NATS_URL: 'nats://other:4222', FERRYMAN_HOST: 'h2' };
    const { nats, host } = loadAgentConfig(file, good);
    assert.deepEqual([nats.url, host], ['nats://other:4222', 'h2']);
    const bad = { FERRYMAN_NATS_URL: 'http://n' };
    assert.throws(() => loadAgentConfig(file, bad), { place: 'FERRYMAN_NATS_URL' });
  });

  it('lets flags prevail over both, and names them when they are wrong', () => {
    const file = agentFile('nats: { url: nats://n:4222 }', qmp);
    const environment = { FERRYMAN_NATS_URL: 'nats://other:4222', FERRYMAN_HOST: 'h2' };
    const { nats, host } = loadAgentConfig(file, environment, { 'nats.url': 'tls://third:4222' });
    assert.deepEqual([nats.url, host], ['tls://third:4222', 'h2']);
    for (const [key, message] of [
      ['nats.url', /write nats:/],
      ['qmp.sockets', /no such setting here; it can be host, /],
    ] as const) {
      const place = `--set ${key}`;
      assert.throws(() => loadAgentConfig(file, {}, { [key]: 'x' }), { place, message });
    }
  });

  it('takes a section from the environment that the file does not have', () => {
    const file = agentFile(qmp);
    const environment = { FERRYMAN_NATS_URL: 'nats://n', FERRYMAN_MONITORING_LISTEN: '[::1]:0' };
    const { nats, monitoring } = loadAgentConfig(file, environment);
    assert.equal(nats.url, 'nats://n');
    assert.deepEqual(monitoring, { listen: { host: '::1', port: 0 }, labelledMigrations: 100 });
  });

  it('takes numbers as text where text is all there is, within their bounds', () => {
    const file = agentFile('nats: { url: nats://n }', 'monitoring: { listen: "127.0.0.1:1" }', qmp);
    const load = (text: string) =>
      loadAgentConfig(file, { FERRYMAN_MONITORING_LABELLED_MIGRATIONS: text }).monitoring;
    assert.equal(load('7')?.labelledMigrations, 7);
    for (const text of ['1001', '-1', '1.5', 'many', '']) {
      assert.throws(() => load(text), { message: /a whole number from 0 to 1000/ });
    }
  });

  it('serves the page where it is told to, on loopback only', () => {
    const file = agentFile('nats: { url: nats://n }', 'page: 127.0.0.1:9473');
    assert.deepEqual(loadBrainConfig(file, {}).page, { host: '127.0.0.1', port: 9473 });
    assert.throws(() => loadBrainConfig(file, { FERRYMAN_PAGE: '0.0.0.0:1' }), /loopback/);
  });

  it('names every problem, each with its line', () => {
    const file = agentFile('nats: { url: nats://n }', 'logLevel: loud', 'qmp: { sockets: [a] }');
    assert.throws(
      () => loadAgentConfig(file, {}),
      (error: Error) => {
        assert.match(error.message, /agent\.yaml:2: logLevel: .*"debug"/);
        assert.match(error.message, /agent\.yaml:3: qmp\.sockets\.0: .*absolute path/);
        return true;
      },
    );
  });

  it('refuses a file too large to be a configuration', () => {
    const file = agentFile('#'.repeat(1024 * 1024 + 1));
    assert.throws(() => loadAgentConfig(file, {}), { place: file, message: /the right file/ });
  });

  const refused: Record<string, { lines: string[]; line: number; says: RegExp }> = {
    'an unknown key': {
      lines: ['nats:', '  url: nats://n:4222', '  ulr: x', qmp],
      line: 3,
      says: /nats\.ulr: no such setting/,
    },
    'a duplicate key': { lines: ['host: a', 'host: b', qmp], line: 2, says: /unique/ },
    'broken YAML': { lines: ['nats: {', qmp], line: 2, says: /./ },
    'a missing setting': { lines: [qmp, 'nats: {}'], line: 2, says: /nats\.url/ },
    'a secret in an address': {
      lines: ['nats: { url: "nats://u:p@n:4222" }', qmp],
      line: 1,
      says: /put them into a file/,
    },
    'half a credential': {
      lines: ['nats: { url: nats://n, user: u }', qmp],
      line: 1,
      says: /user and passwordFile go together/,
    },
    'a relative path': {
      lines: ['nats: { url: nats://n }', 'qmp: { sockets: [qmp.sock] }'],
      line: 2,
      says: /absolute path/,
    },
    'neither sockets nor libvirt': {
      lines: ['nats: { url: nats://n }'],
      line: 1,
      says: /nothing to watch/,
    },
    'a libvirt of another host': {
      lines: ['nats: { url: nats://n }', 'libvirt: { uri: "qemu+ssh://other/system" }'],
      line: 2,
      says: /write qemu/,
    },
    'nothing to watch': {
      lines: ['nats: { url: nats://n }', 'qmp: {}'],
      line: 2,
      says: /at least one of/,
    },
    'half a client certificate': {
      lines: [qmp, 'nats: { url: tls://n, certFile: /c.pem }'],
      line: 2,
      says: /certFile and keyFile go together/,
    },
    'an address that is open to others': {
      lines: ['nats: { url: nats://n }', qmp, 'monitoring:', '  listen: 0.0.0.0:9471'],
      line: 4,
      says: /monitoring\.listen: write a loopback address/,
    },
    'a port that is none': {
      lines: ['nats: { url: nats://n }', qmp, 'monitoring:', '  listen: 127.0.0.1:65536'],
      line: 4,
      says: /loopback address/,
    },
    'an impossible host': {
      lines: ['nats: { url: nats://n }', 'host: "a b"', qmp],
      line: 2,
      says: /host: .*use letters/,
    },
  };
  for (const [name, { lines, line, says }] of Object.entries(refused)) {
    it(`refuses ${name} with file, line and remedy`, () => {
      const file = agentFile(...lines);
      const expected = { code: 'CONFIG', place: `${file}:${line}`, message: says };
      assert.throws(() => loadAgentConfig(file, {}), expected);
    });
  }

  it('refuses a secret that everybody may read, and one that is none', () => {
    const open = write('open', 's3cret', 0o644);
    const empty = write('empty', '\n');
    for (const [tokenFile, message] of [
      [open, /chmod 600/],
      [empty, /on one line/],
      ['/nowhere/token', /cannot be read/],
    ] as const) {
      const file = agentFile(`nats: { url: nats://n, tokenFile: ${tokenFile} }`, qmp);
      assert.throws(() => loadAgentConfig(file, {}), { place: tokenFile, message });
    }
  });
});
