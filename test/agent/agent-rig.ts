/** An agent on a memory bus, a fake QEMU behind it, and the brain's end of the bus. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent, type Agent } from '../../agent/agent.ts';
import { standalonePolicy, type HostPolicy } from '../../agent/host/policy-file.ts';
import { systemClock } from '../../shared/clock.ts';
import { decodeCommandResult, decodeTelemetry, encodeCommand } from '../../shared/codec.ts';
import type { CommandResult, Operation } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBroker } from '../../shared/memory-bus.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Telemetry, TelemetryBody } from '../../shared/telemetry.ts';
import { fakeQemu } from '../fakes/qemu.ts';

export const arm = {
  kind: 'arm',
  arming: { family: 'plain', autoConverge: true, postCopy: true },
  tuning: {},
} as const;
export const migrate: Operation = {
  kind: 'migrate',
  endpoint: { kind: 'unix', path: '/tmp/m.sock' },
};
export const setPoint = { kind: 'throttle', percent: 70, mechanism: 'qemu' } as const;

export type AgentRig = Awaited<ReturnType<typeof boardAgent>>;
type BodyOf<K extends TelemetryBody['kind']> = Extract<TelemetryBody, { kind: K }>;

/** Polls until `look` finds something. */
export async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  const endsAt = performance.now() + 5000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > endsAt) assert.fail(`did not happen: ${what}`);
    await sleep(5);
  }
}

/** A started agent of host `source`; `stop` it at the end. */
export async function boardAgent() {
  const directory = mkdtempSync(join(tmpdir(), 'ferryman-agent-'));
  const qemu = await fakeQemu('7.2');
  const broker = memoryBroker();
  const agentBus = broker.connect();
  const brainBus = broker.connect();
  const heard: Telemetry[] = [];
  const replayed: Telemetry[] = [];
  const answers: string[] = [];
  /** How far the agent's monotonic clock is ahead of ours. */
  const ahead = { milliseconds: 0 };
  let sequence = 0;
  brainBus.subscribe('ferryman.v1.tel.source.>', (subject, payload) => {
    (subject.endsWith('.replay') ? replayed : heard).push(decodeTelemetry(payload));
  });
  const agentOf = (sockets: readonly string[], policy: HostPolicy): Agent =>
    createAgent({
      host: 'source',
      bus: agentBus,
      clock: {
        ...systemClock,
        monotonicMilliseconds: () => systemClock.monotonicMilliseconds() + ahead.milliseconds,
      },
      log: silentLog,
      sockets,
      policy,
      onAnswer: (command, { outcome }) => void answers.push(`${command.operation.kind} ${outcome}`),
      journalPath: join(directory, 'journal'),
    });
  let agent = agentOf([qemu.server.path], standalonePolicy({ postCopy: true }));
  await agent.start();

  const bodies = <K extends TelemetryBody['kind']>(kind: K): BodyOf<K>[] =>
    heard.map(({ body }) => body).filter((body): body is BodyOf<K> => body.kind === kind);
  const attached = (): Promise<VmFacts> => until('attach', () => bodies('attach').at(-1)?.facts);
  const order = async (operation: Operation, overrides: object = {}): Promise<CommandResult> => {
    const { ref } = await attached();
    sequence += 1;
    const payload = encodeCommand({
      id: `m1.${String(sequence)}`,
      epoch: 7,
      sequence,
      target: ref,
      expiresAtAgentMilliseconds: Math.floor(performance.now() + 5000),
      operation,
      ...overrides,
    });
    return decodeCommandResult(await brainBus.request('ferryman.v1.cmd.source', payload, 5000));
  };
  return {
    ...{ qemu, agentBus, brainBus, heard, replayed, ahead, bodies, attached, order, answers },
    vms: () => agent.vms(),
    status: () => agent.status(),
    adopt: (policy: HostPolicy) => agent.adopt(policy),
    stopAgent: () => agent.stop(),
    async startMigration(arming: Operation = arm) {
      assert.equal((await order(arming)).outcome, 'applied');
      assert.equal((await order(migrate)).outcome, 'applied');
      qemu.setStatus('active');
    },
    /** Another agent in its place, in another life. */
    async replaceAgent(sockets: readonly string[], policy = standalonePolicy()) {
      await agent.stop();
      heard.length = 0;
      agent = agentOf(sockets, policy);
      await agent.start();
    },
    async stop() {
      await agent.stop();
      await qemu.stop();
      rmSync(directory, { recursive: true });
    },
  };
}
