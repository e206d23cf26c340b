import assert from 'node:assert/strict';
import { cpuShares, parseCpuTicks } from '../../../agent/collectors/cpu.ts';
import { createProcHostProbe } from '../../../agent/collectors/index.ts';
import { parseMemory } from '../../../agent/collectors/memory.ts';
import { nicRates, parseNicCounters, parseNicSpeed } from '../../../agent/collectors/nic.ts';
import { parsePressure } from '../../../agent/collectors/pressure.ts';
import { createSystemInformationProbe } from '../../../agent/collectors/system-information.ts';
import { hostSample } from '../../../shared/codec/sample-schemas.ts';
import { fixturePath } from '../fixtures/read.ts';

const root = fixturePath('host');
let now = 0;
const clock = { wallMilliseconds: () => now, monotonicMilliseconds: () => now };
const fail = (name: string, error: unknown) => assert.fail(`${name}: ${String(error)}`);

describe('cpu collector', () => {
  it('gives shares between two readings', () => {
    const before = parseCpuTicks('cpu  100 0 0 100 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n');
    const after = parseCpuTicks('cpu  130 0 10 140 10 0 0 10 30 0\ncpu0 0\ncpu1 0\n');
    assert.deepEqual(cpuShares(before, after), {
      cpuCores: 2,
      cpuBusyShare: 0.4,
      cpuStealShare: 0.1,
      idleCpuCores: 1,
    });
  });

  it('falls back to the share since boot when no tick passed', () => {
    const ticks = parseCpuTicks('cpu  25 0 0 75 0 0 0 0 0 0\ncpu0 0\n');
    assert.equal(cpuShares(ticks, ticks).cpuBusyShare, 0.25);
  });
});

describe('memory collector', () => {
  it('names the line that is missing', () => {
    assert.throws(() => parseMemory('MemTotal:   1 kB\n'), /no line "MemAvailable"/);
  });
});

describe('nic collector', () => {
  it('gives rates, and none when the interface was made anew', () => {
    const before = new Map([
      ['a', { receivedBytes: 1000, sentBytes: 0 }],
      ['b', { receivedBytes: 5000, sentBytes: 5000 }],
    ]);
    const after = new Map([
      ['a', { receivedBytes: 2000, sentBytes: 500 }],
      ['b', { receivedBytes: 10, sentBytes: 0 }],
    ]);
    const [a, b] = nicRates(before, after, 500, () => undefined);
    assert.deepEqual(a, { name: 'a', receivedBytesPerSecond: 2000, sentBytesPerSecond: 1000 });
    assert.equal(b?.receivedBytesPerSecond, 0);
  });

  it('parses counters, with or without a space after the colon', () => {
    const counters = parseNicCounters(
      ' face |bytes\n eth0:12 0 0 0 0 0 0 0 34 0\n lo: 5 0 0 0 0 0 0 0 6\n',
    );
    assert.deepEqual([...counters.keys()], ['eth0', 'lo']);
    assert.deepEqual(counters.get('eth0'), { receivedBytes: 12, sentBytes: 34 });
  });

  it('knows no speed where the driver does not', () => {
    assert.equal(parseNicSpeed('10000\n'), 1_250_000_000);
    assert.equal(parseNicSpeed('-1\n'), undefined);
    assert.equal(parseNicSpeed(undefined), undefined);
  });
});

describe('pressure collector', () => {
  it('gives a share of 0 to 1', () => {
    assert.equal(parsePressure('some avg10=12.50 avg60=0.78 avg300=0.58 total=1\n'), 0.125);
    assert.throws(() => parsePressure('full avg10=0.1\n'), /no "some avg10="/);
  });
});

describe('host probe on /proc', () => {
  it('gives the whole sample', async () => {
    const source = { procRoot: `${root}/proc`, sysRoot: `${root}/sys`, clock };
    const probe = createProcHostProbe(fail, source);
    now += 1000;
    const { cpuBusyShare, idleCpuCores, cpuStealShare, ...rest } = await probe.collectHost();
    assert.ok(cpuBusyShare > 0.031 && cpuBusyShare < 0.033 && cpuStealShare < 0.001);
    assert.ok(idleCpuCores > 1.93 && idleCpuCores < 1.94);
    const still = { receivedBytesPerSecond: 0, sentBytesPerSecond: 0 };
    assert.deepEqual(rest, {
      cpuCores: 2,
      totalMemoryBytes: 24_684_084 * 1024,
      freeMemoryBytes: 24_388_456 * 1024,
      nics: [
        { name: 'eth0', ...still, speedBytesPerSecond: 1_250_000_000 },
        { name: 'lo', ...still },
        { name: 'tap7', ...still },
        { name: 'bond0', ...still, speedBytesPerSecond: 3_125_000_000 },
      ],
      pressure: { cpu: 0.0013, memory: 0.125, io: 0 },
    });
  });

  it('refuses to start where there is no /proc', () => {
    const source = { procRoot: `${root}/none`, sysRoot: root, clock };
    assert.throws(() => createProcHostProbe(fail, source), /none\/stat does not exist/);
  });

  it('agrees with systeminformation', async () => {
    const probes = [createProcHostProbe(fail), createSystemInformationProbe()];
    const [own, other] = await Promise.all(probes.map((probe) => probe.collectHost()));
    assert.ok(own !== undefined && other !== undefined);
    hostSample.parse(own);
    hostSample.parse(other);
    assert.equal(own.cpuCores, other.cpuCores);
    assert.equal(own.totalMemoryBytes, other.totalMemoryBytes);
    const apart = Math.abs(own.freeMemoryBytes - other.freeMemoryBytes) / own.totalMemoryBytes;
    assert.ok(apart < 0.1, `free memory differs by ${String(apart)} of all memory`);
    const names = own.nics.map((nic) => nic.name);
    for (const nic of other.nics) assert.ok(names.includes(nic.name), nic.name);
  });
});
