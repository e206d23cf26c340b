import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClientConfig, usualNatsUrl } from '../../../shared/config/client.ts';

describe('shared/config/client', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-client-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes to the loopback unless told otherwise: by file, environment, or flag over both', () => {
    const file = join(folder, 'ferryman.yaml');
    writeFileSync(file, 'nats: { url: "nats://from-file:4222" }\n');
    const environment = { FERRYMAN_NATS_URL: 'nats://from-environment:4222' };
    assert.equal(loadClientConfig(undefined, {}).nats.url, usualNatsUrl);
    assert.equal(loadClientConfig(file, {}).nats.url, 'nats://from-file:4222');
    assert.equal(loadClientConfig(file, environment).nats.url, environment.FERRYMAN_NATS_URL);
    const told = loadClientConfig(file, environment, 'nats://flag:4222');
    assert.equal(told.nats.url, 'nats://flag:4222');
  });

  it('takes the login from files, as daemons do', () => {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'secret\n', { mode: 0o600 });
    const environment = { FERRYMAN_NATS_USER: 'op', FERRYMAN_NATS_PASSWORD_FILE: passwordFile };
    const { credentials } = loadClientConfig(undefined, environment).nats;
    assert.deepEqual(credentials, { kind: 'password', user: 'op', password: 'secret' });
  });

  it('names what is wrong', () => {
    const wrong = () => loadClientConfig(undefined, { FERRYMAN_NATS_URL: 'http://h' });
    assert.throws(wrong, { code: 'CONFIG', message: /FERRYMAN_NATS_URL.*nats:\/\// });
  });
});
