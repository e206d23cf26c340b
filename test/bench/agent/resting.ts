/** What `ferryman agent` costs on a host of VMs at rest, beside collectors that hosts run anyway. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNatsServer, type NatsServer } from '../../../cli/nats-server.ts';
import { encodeBeacon } from '../../../shared/codec.ts';
import { natsBus } from '../../../shared/nats-bus.ts';
import { buildSubject, everyHost, hostId, parseSubject } from '../../../shared/subjects.ts';
import { tools, type QemuVersion } from '../../../scripts/tools.mjs';
import { freePort } from '../../system/bus.ts';
import { processSeconds } from '../policies/cpu-watch.ts';
import { startCollectd, startNodeExporter } from './peers.ts';
import { peakMebibytes, residentMebibytes, startProcess } from './processes.ts';
import type { Started } from './processes.ts';
import { startVms } from './vms.ts';

export interface RestOptions {
  /** The bundle. */
  readonly ferryman: string;
  readonly vms: number;
  readonly seconds: number;
  readonly qemu: QemuVersion;
  /** For everything that is written. */
  readonly folder: string;
}

/** One process over the same time as the others. */
export interface RestCost {
  readonly name: string;
  /** CPU over one core. */
  readonly cpuShare: number;
  /** The most at any look while it was measured. */
  readonly residentMebibytes: number;
  /** The most since it was started. */
  readonly peakMebibytes: number;
}

export interface RestFigures {
  /** The agent's first. */
  readonly costs: readonly RestCost[];
  /** That arrived, over VMs and seconds: 1 is what the agent promises. */
  readonly samplesPerVmSecond: number;
}

const host = 'bench';
/** Until what only follows the start is over: Node.js optimises what runs often for a minute and a half. */
const settleMilliseconds = 120_000;
const beaconMilliseconds = 500;
const lookMilliseconds = 500;

/** Starts all of them, and measures them at the same time. Throws what ended too early. */
export async function measureAtRest(options: RestOptions): Promise<RestFigures> {
  const { ferryman, vms, seconds, qemu, folder } = options;
  const monitors = join(folder, 'monitors');
  mkdirSync(monitors);
  const stopVms = await startVms(vms, monitors, qemu);
  const nats = await startNatsServer({ FERRYMAN_NATS_SERVER: tools().natsServer, ...process.env });
  const brain = await listenAsBrain(nats);
  const agent = await startAgent(ferryman, nats, monitors, folder);
  const others = [await startNodeExporter(), startCollectd(join(folder, 'collectd'))];
  const all = [{ ...agent, name: 'ferryman agent' }, ...others];
  await sleep(settleMilliseconds);
  const before = brain.samples();
  const costs = await measure(all, seconds);
  const samples = brain.samples() - before;
  for (const each of all) each.stop();
  stopVms();
  await brain.stop();
  await nats.stop();
  return { costs, samplesPerVmSecond: samples / (vms * seconds) };
}

/** Says that there is a brain, and counts what it is told. */
async function listenAsBrain({ url, credentials }: NatsServer) {
  const bus = await natsBus({ url, credentials, name: 'bench' });
  let samples = 0;
  bus.subscribe(everyHost('tel'), (subject) => {
    if (parseSubject(subject)?.kind === 'migration') samples += 1;
  });
  const payload = encodeBeacon({ epoch: 1, brain: host });
  const timer = setInterval(() => {
    bus.publish(buildSubject({ channel: 'lead', host: hostId(host) }), payload);
  }, beaconMilliseconds);
  return {
    samples: () => samples,
    stop: async () => {
      clearInterval(timer);
      await bus.close();
    },
  };
}

/** Configured as deploy/ferryman/agent.yaml has it, and run as a program, which chooses Node's flags. */
async function startAgent(
  ferryman: string,
  { url, credentials }: NatsServer,
  directory: string,
  folder: string,
): Promise<Started> {
  if (credentials.kind !== 'password') throw new Error('the private server has a password');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, credentials.password, { mode: 0o600 });
  const configuration = {
    host,
    nats: { url, user: credentials.user, passwordFile },
    qmp: { directory },
    stateDirectory: join(folder, 'state'),
    monitoring: { listen: `127.0.0.1:${await freePort()}` },
  };
  const file = join(folder, 'agent.yaml');
  // YAML is a superset of JSON.
  writeFileSync(file, JSON.stringify(configuration));
  return startProcess([ferryman, 'agent', '--config', file]);
}

async function measure(
  all: readonly (Started & { readonly name: string })[],
  seconds: number,
): Promise<RestCost[]> {
  const resident = all.map(({ pid }) => [residentMebibytes(pid)]);
  const timer = setInterval(() => {
    all.forEach(({ pid }, index) => resident[index]?.push(residentMebibytes(pid)));
  }, lookMilliseconds);
  const from = performance.now();
  const before = all.map(({ pid }) => processSeconds(pid) ?? 0);
  await sleep(1000 * seconds);
  const elapsedSeconds = (performance.now() - from) / 1000;
  clearInterval(timer);
  return all.map(({ name, pid, messages }, index) => {
    const used = processSeconds(pid);
    if (used === undefined) throw new Error(`${name} has ended: ${messages().trim()}`);
    return {
      name,
      cpuShare: (used - (before[index] ?? 0)) / elapsedSeconds,
      residentMebibytes: Math.max(...(resident[index] ?? [])),
      peakMebibytes: peakMebibytes(pid),
    };
  });
}
