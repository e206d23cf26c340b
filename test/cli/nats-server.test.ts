import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNatsServer, startNatsServer } from '../../cli/nats-server.ts';
import { natsBus } from '../../shared/nats-bus.ts';

const hasServer = (() => {
  try {
    return findNatsServer() !== '';
  } catch {
    return false;
  }
})();

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe('cli/nats-server', () => {
  it('names the remedy when there is none', () => {
    const remedy = { code: 'NATS_SERVER_MISSING', message: /apt-get install nats-server/ };
    assert.throws(() => findNatsServer({ FERRYMAN_NATS_SERVER: '/nowhere/nats-server' }), remedy);
  });

  describe('with a real server', () => {
    let folder: string;
    before(async function () {
      if (!hasServer) return this.skip();
      folder = await mkdtemp(join(tmpdir(), 'ferryman-test-'));
      process.env['TMPDIR'] = folder;
    });
    after(async () => {
      delete process.env['TMPDIR'];
      if (hasServer) await rm(folder, { recursive: true });
    });

    it('takes only clients with its credential, keeps it secret, and leaves nothing', async () => {
      const server = await startNatsServer();
      try {
        const { url, credentials } = server;
        assert.match(url, /^nats:\/\/127\.0\.0\.1:\d+$/);
        await assert.rejects(natsBus({ url, name: 'stranger' }), { code: 'REFUSED' });
        const bus = await natsBus({ url, credentials, name: 'friend' });
        assert.equal(bus.connected, true);
        await bus.close();
        const [own = ''] = readdirSync(folder);
        assert.equal(statSync(join(folder, own, 'nats.conf')).mode & 0o777, 0o600);
      } finally {
        await server.stop();
      }
      assert.equal(existsSync(`/proc/${String(server.pid)}`), false);
      assert.deepEqual(readdirSync(folder), []);
    });

    it('is there again at the same address when it was killed', async () => {
      const server = await startNatsServer();
      try {
        const { url, credentials } = server;
        const bus = await natsBus({ url, credentials, name: 'client' });
        process.kill(server.pid, 'SIGKILL');
        await until(() => !bus.connected);
        await until(() => bus.connected);
        await bus.close();
      } finally {
        await server.stop();
      }
    });

    it('ends with a parent that is killed', async () => {
      const module = join(import.meta.dirname, '../../cli/nats-server.ts');
      const script = `
        import { startNatsServer } from ${JSON.stringify(module)};
        console.log((await startNatsServer()).pid);
        setInterval(() => undefined, 1000);`;
      const nodeArguments = ['--import=tsx', '--input-type=module', '--eval', script];
      const parent = spawn(process.execPath, nodeArguments, {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
      const server = `/proc/${pid.toString().trim()}`;
      assert.equal(existsSync(server), true);
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      while (existsSync(server)) await sleep(5);
    });

    it('says what a server that cannot start said', async () => {
      const environment = { ...process.env, FERRYMAN_NATS_SERVER: '/bin/false' };
      await assert.rejects(startNatsServer(environment), { code: 'NATS_SERVER_FAILED' });
    });
  });
});
