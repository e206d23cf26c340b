import assert from 'node:assert/strict';
import type { BrainStatus } from '../../../brain/desk/status.ts';
import type { HostSummary } from '../../../brain/desk/views.ts';
import { checkUp, natsFault, verdictOf } from '../../../cli/fleet/checkup.ts';
import { DeskError, type FleetClient } from '../../../cli/fleet/client.ts';
import { doctorCode, printChecks, printChecksJson } from '../../../cli/commands/doctor.ts';
import { BusError } from '../../../shared/errors.ts';
import { rightCapabilities } from '../../../shared/host-facts.ts';

const host: HostSummary = {
  ...{ host: 'h1', silentMilliseconds: 200, lostMessages: 0, vms: 2 },
  facts: {
    ...{ mode: 'act', migrationAddress: 'h1', canStartDestination: true, lacks: [] },
    ...{ firstMigrationPort: 1, lastMigrationPort: 2, occupiedPorts: [] },
  },
};
const healthy: BrainStatus = {
  ...{ brain: 'b1', mode: 'act', policy: 'adaptive', version: '1.0.0', missingHosts: [] },
  history: { kept: true, url: 'http://127.0.0.1:8086' },
  hosts: [host],
};

function client(
  status: Partial<BrainStatus> | Error,
  findings: readonly object[] = [],
): FleetClient {
  return {
    url: 'nats://h:4222',
    ask: <Reply extends object>(verb: string) => {
      if (status instanceof Error) return Promise.reject(status);
      const reply = verb === 'check' ? { findings } : { status: { ...healthy, ...status } };
      return Promise.resolve(reply as unknown as Reply);
    },
  };
}

/** What is not well, as `state part`. */
async function amiss(status: Partial<BrainStatus> | Error) {
  const checks = await checkUp(client(status));
  return checks.flatMap(({ state, part }) => (state === 'ok' ? [] : `${state} ${part}`));
}

describe('cli/fleet/checkup', () => {
  it('is green where all is well', async () => {
    const checks = await checkUp(client({}));
    assert.equal(verdictOf(checks), 'ok');
    assert.equal(doctorCode(checks), 0);
    const parts = checks.map(({ part }) => part);
    assert.deepEqual(parts, ['nats', 'brain', 'influxdb', 'agent', 'probe', 'cgroup']);
  });

  it('names each part that is stopped', async () => {
    const gone = new BusError('NO_RESPONDERS', 'no brain answers');
    assert.deepEqual(await amiss(gone), ['fault brain']);
    const problem = 'connect ECONNREFUSED';
    assert.deepEqual(await amiss({ history: { kept: true, url: 'http://h', problem } }), [
      'fault influxdb',
    ]);
    assert.deepEqual(await amiss({ hosts: [{ ...host, silentMilliseconds: 9_000 }] }), [
      'fault agent',
    ]);
    assert.deepEqual(await amiss({ missingHosts: ['h2'] }), ['fault agent']);
    assert.deepEqual(await amiss({ hosts: [] }), ['fault agent']);
    assert.equal(doctorCode([natsFault(gone)]), 3);
  });

  it('names a right that is missing and what is lost by it, which is no failure', async () => {
    const { facts } = host;
    assert.ok(facts);
    const lacks = [{ right: 'cgroup' as const, reason: 'no quota here' }];
    const checks = await checkUp(client({ hosts: [{ ...host, facts: { ...facts, lacks } }] }));
    const lack = checks.find(({ state }) => state !== 'ok');
    assert.equal(lack?.part, 'cgroup');
    assert.match(lack.message, /no quota here.*lost.*held back/);
    assert.equal(doctorCode(checks), 0);
  });

  for (const [user, capabilities, words] of [
    ['ferryman-agent', [], /profile tune: no capability/],
    ['ferryman-agent', ['CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH'], /profile tune \+ probe: CAP_SYS/],
    ['ferryman-agent', ['CAP_DAC_OVERRIDE'], /profile tune \+ quota: CAP_DAC_OVERRIDE/],
    ['root', rightCapabilities, /runs as root/],
  ] as const) {
    it(`says what the agent may do as ${user} with ${capabilities.join(', ') || 'nothing'}`, async () => {
      const { facts } = host;
      assert.ok(facts);
      const told = { ...facts, privileges: { user, capabilities } };
      const checks = await checkUp(client({ hosts: [{ ...host, facts: told }] }));
      assert.match(checks.find(({ part }) => part === 'profile')?.message ?? '', words);
      assert.equal(verdictOf(checks), 'ok');
    });
  }

  it('ends with 5 when only the named VM cannot move', async () => {
    const findings = [{ severity: 'refuse', check: 'storage', message: 'a local disk' }];
    const checks = await checkUp(client({}, findings), { vm: 'a', to: 'h1' });
    assert.equal(doctorCode(checks), 5);
    assert.equal(checks.at(-1)?.message, 'a local disk');
    const clear = await checkUp(client({}), { vm: 'a', to: 'h1' });
    assert.match(clear.at(-1)?.message ?? '', /nothing keeps a/);
  });

  it('takes a VM that nobody knows for something that stands in the way', async () => {
    const { ask, url } = client({});
    const unknown: FleetClient = {
      url,
      ask: (verb) =>
        verb === 'check' ? Promise.reject(new DeskError('UNKNOWN_VM', 'no VM a\nruns')) : ask(verb),
    };
    const checks = await checkUp(unknown, { vm: 'a', to: 'h1' });
    assert.equal(checks.at(-1)?.message, 'no VM a?runs');
    assert.equal(doctorCode(checks), 5);
  });

  it('tells scripts and people the same', async () => {
    const checks = await checkUp(client({ history: { kept: false } }));
    let text = '';
    const output = { write: (piece: string) => (text += piece) };
    printChecks(checks, output);
    assert.match(text, /limited +influxdb +no history is kept/);
    text = '';
    printChecksJson(checks, output);
    const last = text.trim().split('\n').at(-1) ?? '';
    assert.deepEqual(JSON.parse(last), { type: 'doctor', state: 'limited' });
  });
});
