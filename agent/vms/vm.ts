/** One attached VM: its facts, its telemetry, and the operations on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { HostSample, MigrationSample, QemuRef, VmFacts } from '../../shared/sample.ts';
import { createActuator } from '../commands/actuator.ts';
import type { Actuator, ActuatorMemory, Effect, VmOperation } from '../commands/actuator.ts';
import type { ActivityCounters } from '../collectors/activity.ts';
import { toMigrationSample } from '../collectors/migration.ts';
import type { Commandable } from '../commands/executor.ts';
import { meetForeign } from './foreign.ts';
import { guardMonitor } from '../commands/guard.ts';
import type { Monitor, MonitorEvent } from '../monitor/monitor.ts';
import type { Outbox, Stamp } from '../outbox/outbox.ts';
import { pauseMilliseconds, type Look } from './pace.ts';
import type { HostPolicy } from '../host/policy-file.ts';
import { readRunState, type Inspection } from '../qemu/inspect.ts';
import { isIdle } from '../qemu/status.ts';
import { startSampler, type Sampler } from './sampler.ts';
import type { Situation } from '../commands/situation.ts';
import { openCgroupThrottle, type CgroupThrottle } from '../throttle/cgroup.ts';
import type { GroupLayout } from '../throttle/groups.ts';
import { vmFacts } from './vm-facts.ts';
import { openVmMeters, type VmMeters } from './vm-meters.ts';
import { probeWorkload } from '../workload/probe.ts';

export interface VmOptions {
  readonly monitor: Monitor;
  readonly inspection: Inspection;
  readonly memory: ActuatorMemory;
  readonly ref: QemuRef;
  readonly postCopyRequested: boolean;
  /** Absent where no quota can be set. */
  readonly layout?: GroupLayout;
  readonly policy: HostPolicy;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly hostSample: () => HostSample;
}

/** Block I/O, run state and vCPU use are worth a look a second, which may be a little early. */
const slowMilliseconds = 950;

/** Lives from attach to `stop`. What is slow or broken about it slows no other VM. */
export class AttachedVm implements Commandable {
  readonly ref: QemuRef;
  readonly #options: VmOptions;
  readonly #monitor: Monitor;
  readonly #meters: VmMeters;
  readonly #throttle: CgroupThrottle | undefined;
  readonly #actuator: Actuator;
  #sampler: Sampler | undefined;
  #runState: string;
  #status: string;
  #slowAtMilliseconds = -Infinity;
  #lastLook: Look | undefined;
  #trouble: string | undefined;
  #hasMetForeign = false;

  constructor(options: VmOptions) {
    const { inspection, ref, clock, layout } = options;
    this.ref = ref;
    this.#options = options;
    this.#monitor = guardMonitor(options.monitor, inspection, options.postCopyRequested);
    const vcpus = { pid: ref.qemuPid, threadIds: inspection.vcpuThreadIds };
    this.#meters = openVmMeters({ ...vcpus, monitor: this.#monitor, clock });
    const { cpuSeconds } = this.#meters;
    this.#throttle = layout && openCgroupThrottle({ ...vcpus, layout, cpuSeconds });
    this.#actuator = createActuator({
      monitor: this.#monitor,
      memory: options.memory,
      ...(this.#throttle && { throttle: this.#throttle }),
      probe: (budgetMilliseconds) => this.#probe(budgetMilliseconds),
      sleep: (milliseconds) => sleep(milliseconds),
    });
    this.#runState = inspection.runState;
    this.#status = inspection.migrationStatus;
  }

  get facts(): VmFacts {
    const { ref, monitor, inspection, policy, hostSample, memory } = this.#options;
    return vmFacts({
      ref,
      monitor: monitor.address,
      inspection,
      runState: this.#runState,
      migrationStatus: this.#status,
      hasCgroupThrottle: this.#throttle !== undefined,
      policy,
      host: hostSample(),
      ...(memory.foreign && { foreignArming: memory.foreign }),
      ...(monitor.owner && { owner: monitor.owner }),
    });
  }

  /** Announces the VM and begins to look at it. */
  start(): void {
    this.announce();
    this.#monitor.onEvent((event) => {
      this.#onEvent(event);
    });
    this.#sampler = startSampler({ look: () => this.#look() });
  }

  /** Publishes the facts as they are now. */
  announce(): void {
    this.#options.outbox.publish({ kind: 'attach', facts: this.facts });
  }

  async situation(): Promise<Omit<Situation, 'postCopyRequested'>> {
    this.#runState = await readRunState(this.#monitor);
    const sample = toMigrationSample(await this.#monitor.execute('query-migrate'));
    this.#status = sample.status;
    const { armed } = this.#options.memory;
    const qemuThrottlePercent = sample.cpuThrottlePercent;
    return {
      facts: this.facts,
      ...(armed && { armed }),
      ...(qemuThrottlePercent !== undefined && { qemuThrottlePercent }),
    };
  }

  async apply(operation: VmOperation): Promise<Effect> {
    const effect = await this.#actuator.apply(operation);
    this.#sampler?.soon();
    return effect;
  }

  /** Takes the throttles of ours to the floor. Throws MonitorError. */
  floor(): Promise<void> {
    return this.#actuator.floor();
  }

  /** Stops looking, releases the vCPUs and closes the monitor. */
  stop(): void {
    this.#sampler?.stop();
    this.#throttle?.release();
    this.#meters.close();
    this.#monitor.close();
  }

  #probe(budgetMilliseconds: number) {
    const { ref, inspection, clock } = this.#options;
    const { ramBytes } = inspection;
    const monitor = this.#monitor;
    return probeWorkload({ pid: ref.qemuPid, ramBytes, budgetMilliseconds, monitor, clock });
  }

  #onEvent({ name, data }: MonitorEvent): void {
    const detail = Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, textOf(value)]),
    );
    this.#options.outbox.publish({ kind: 'event', ref: this.ref, name, detail });
    // STOP, RESUME and MIGRATION change the run state: look at all of it, at once.
    if (name !== 'MIGRATION_PASS') this.#slowAtMilliseconds = -Infinity;
    this.#sampler?.soon();
  }

  /** One look; returns how soon the next has to come. */
  async #look(): Promise<number> {
    const { outbox, clock } = this.#options;
    const stamp = outbox.stamp();
    const before = this.#lastLook;
    this.#lastLook = undefined;
    const isSlowDue = clock.monotonicMilliseconds() - this.#slowAtMilliseconds >= slowMilliseconds;
    try {
      const [reply] = await Promise.all([
        this.#monitor.execute('query-migrate'),
        isSlowDue && this.#lookSlowly(stamp),
      ]);
      const counters = this.#meters.read();
      if (isSlowDue) this.#follow(counters, stamp);
      const cgroupThrottlePercent = this.#throttle?.percent ?? 0;
      const sample = toMigrationSample(reply, { ...counters, cgroupThrottlePercent });
      await this.#meet(sample);
      const isAtRest = isIdle(sample.status) && sample.status === this.#status;
      const publish = isAtRest ? outbox.publishSoon : outbox.publish;
      publish({ kind: 'migration', ref: this.ref, sample }, stamp);
      await this.#heed(sample);
      this.#lastLook = { atMilliseconds: stamp.agentMilliseconds, sample };
      this.#trouble = undefined;
    } catch (error) {
      this.#complain(messageOf(error));
    }
    const state = { runState: this.#runState, migrationStatus: this.#status };
    return pauseMilliseconds(state, before, this.#lastLook);
  }

  async #lookSlowly(stamp: Stamp): Promise<void> {
    this.#slowAtMilliseconds = stamp.agentMilliseconds;
    const [runState] = await Promise.all([readRunState(this.#monitor), this.#meters.readDisks()]);
    if (runState === this.#runState) return;
    this.#runState = runState;
    this.announce();
  }

  #follow(counters: ActivityCounters, stamp: Stamp): void {
    const { clock, outbox } = this.#options;
    this.#throttle?.measure(clock.monotonicMilliseconds());
    const activity = this.#meters.activity(counters);
    if (activity) outbox.publishSoon({ kind: 'activity', ref: this.ref, activity }, stamp);
  }

  /** A migration that ferryman did not start is announced with what it was started with. */
  async #meet({ status }: MigrationSample): Promise<void> {
    const { memory } = this.#options;
    if (isIdle(status)) this.#hasMetForeign = false;
    const isOnItsWayIn = this.#runState === 'inmigrate';
    if (isIdle(status) || isOnItsWayIn || this.#hasMetForeign || memory.armed) return;
    await meetForeign(this.#monitor, memory, isIdle(this.#status));
    this.#hasMetForeign = true;
    this.#status = status;
    this.announce();
  }

  /** What the agent does of its own accord when a sample shows it. */
  async #heed(sample: MigrationSample): Promise<void> {
    const hasEnded = isIdle(sample.status) && !isIdle(this.#status);
    this.#status = sample.status;
    // Whatever a quota was for is over, and the brain may be slow to say so.
    if (hasEnded) this.#throttle?.release();
    const { policy, memory } = this.#options;
    const cap = policy.maxThrottlePercent;
    const isBreach = (sample.cpuThrottlePercent ?? 0) > cap && memory.hasTouchedThrottle;
    if (!isBreach || policy.mode !== 'act') return;
    this.#complain(`QEMU throttles beyond the ${String(cap)} % of the host policy`);
    await this.floor();
  }

  /** Says what is wrong once, until it is something else. */
  #complain(message: string): void {
    if (this.#trouble === message) return;
    this.#trouble = message;
    const { log, outbox, ref } = this.#options;
    log.warn({ vm: ref.uuid, pid: ref.qemuPid }, message);
    outbox.publish({ kind: 'alert', ref, message });
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
