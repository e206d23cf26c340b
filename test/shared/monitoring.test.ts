import assert from 'node:assert/strict';
import { silentLog } from '../../shared/log.ts';
import { createMeter } from '../../shared/metrics.ts';
import { startMonitoring, type Monitoring } from '../../shared/monitoring.ts';

const listen = { host: '127.0.0.1', port: 0 };

describe('shared/monitoring', () => {
  let nats = true;
  let isBroken = false;
  let monitoring: Monitoring;

  before(async () => {
    const meter = createMeter('agent');
    meter.gauge('ferryman_hosts', 'Hosts.', () => {
      if (isBroken) throw new Error('out of order');
      return 3;
    });
    const { registry } = meter;
    const checks = () => ({ nats, brain: true });
    monitoring = await startMonitoring({ listen, registry, log: silentLog, checks });
  });
  after(() => monitoring.stop());
  beforeEach(() => {
    nats = true;
    isBroken = false;
  });

  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${monitoring.url}${path}`, init);
    return { status: response.status, text: await response.text() };
  };

  it('says that the process turns', async () => {
    assert.deepEqual(await get('/healthz'), { status: 200, text: '{"status":"ok"}\n' });
  });

  it('is ready when all is there, and names what is missing', async () => {
    assert.equal((await get('/readyz')).status, 200);
    nats = false;
    const { status, text } = await get('/readyz');
    assert.equal(status, 503);
    assert.deepEqual(JSON.parse(text), {
      status: 'not ready',
      checks: { nats: false, brain: true },
    });
  });

  it('shows metrics, read at that moment', async () => {
    const { status, text } = await get('/metrics');
    assert.equal(status, 200);
    assert.match(text, /^ferryman_hosts 3$/m);
    assert.match(text, /^ferryman_build_info\{part="agent",.*\} 1$/m);
    assert.match(text, /^process_cpu_seconds_total \d/m);
  });

  it('survives a figure that cannot be read', async () => {
    isBroken = true;
    const { status, text } = await get('/metrics');
    assert.deepEqual([status, text], [500, 'out of order\n']);
    assert.equal((await get('/healthz')).status, 200);
  });

  it('knows nothing else, and changes nothing', async () => {
    assert.equal((await get('/')).status, 404);
    assert.equal((await get('/healthz', { method: 'POST', body: 'x' })).status, 405);
  });

  it('names the setting when the address is taken', async () => {
    const port = Number(new URL(monitoring.url).port);
    const { registry } = createMeter('brain');
    const second = startMonitoring({
      listen: { ...listen, port },
      registry,
      log: silentLog,
      checks: () => ({}),
    });
    await assert.rejects(second, { place: 'monitoring.listen', message: /EADDRINUSE.*choose/ });
  });
});
