/** Both agents at once: they carry operations out on the simulated QEMUs, and refuse as real ones do. */
import type {
  Arming,
  AutoConvergeSettings,
  CommandResult,
  Operation,
  Tuning,
} from '../../shared/command.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Side } from '../../brain/core/decision.ts';
import { beginProbe } from './probe.ts';
import type { Simulation } from './simulation.ts';
import { defaultTuning } from './surroundings.ts';

/** An operation under way: how long it takes, and what it will have found by then. */
export interface Doing {
  readonly tookMilliseconds: number;
  readonly answer: () => Omit<CommandResult, 'id'>;
}

const replyMilliseconds = 5;
const cancelMilliseconds = 20;
const spawnMilliseconds = 60;

type DestinationState = 'fresh' | 'armed' | 'listening' | 'gone';

export class Agents {
  /** Set when a destination QEMU has gone, until the world has told the brain. */
  destinationLost = false;
  readonly #simulation: Simulation;
  readonly #facts: (side: Side, life: number) => VmFacts;
  readonly #maxThrottlePercent: number;
  #life = 1;
  #destination: DestinationState = 'fresh';
  #destinationArming: Arming | undefined;
  #sourceArming: Arming | undefined;
  #tuning: Tuning = {};

  constructor(
    simulation: Simulation,
    maxThrottlePercent: number,
    facts: (side: Side, life: number) => VmFacts,
  ) {
    this.#simulation = simulation;
    this.#maxThrottlePercent = maxThrottlePercent;
    this.#facts = facts;
  }

  get destinationStatus(): string {
    if (this.#simulation.qemu?.running === true) return 'active';
    return this.#simulation.qemu?.status === 'completed' ? 'completed' : 'none';
  }

  get destinationPresent(): boolean {
    return this.#destination !== 'gone';
  }

  carryOut(operation: Operation, side: Side): Doing {
    switch (operation.kind) {
      case 'probe':
        return this.#probe(operation.budgetMilliseconds);
      case 'start-destination':
        return this.#startDestination();
      case 'arm':
        return this.#arm(side, operation.arming, operation.tuning);
      case 'listen':
        return this.#listen();
      case 'migrate':
        return this.#migrate();
      case 'tune':
        return this.#tune(operation.tuning);
      case 'throttle':
        return this.#throttle(operation.percent, operation.mechanism);
      case 'cancel':
        return this.#cancel();
      case 'start-postcopy':
        return this.#startPostCopy();
      case 'restore':
        return this.#restore(side);
      case 'recover-destination':
      case 'resume':
        return failed('there is no paused migration to recover');
    }
  }

  #probe(budgetMilliseconds: number): Doing {
    if (!this.#facts('source', 1).canProbe) return refused('no right to read the memory');
    const { guest, random, nowMilliseconds } = this.#simulation;
    const report = beginProbe(guest, random, nowMilliseconds, budgetMilliseconds);
    return {
      tookMilliseconds: budgetMilliseconds,
      answer: () => ({ outcome: 'applied', probe: report() }),
    };
  }

  #startDestination(): Doing {
    const facts = this.#facts('destination', ++this.#life);
    if (!facts.canStartDestination) return refused('no command to start a destination with');
    this.#destination = 'fresh';
    this.destinationLost = false;
    return {
      tookMilliseconds: spawnMilliseconds,
      answer: () => ({ outcome: 'applied', facts }),
    };
  }

  #arm(side: Side, arming: Arming, tuning: Tuning): Doing {
    if (this.#simulation.qemu?.running === true)
      return failed("There's a migration process in progress");
    const objection = this.#objectionTo(tuning) ?? this.#objectionToArming(arming);
    if (objection) return objection;
    if (side === 'destination') {
      if (this.#destination !== 'fresh') return failed(`the destination is ${this.#destination}`);
      this.#destination = 'armed';
      this.#destinationArming = arming;
    } else {
      this.#sourceArming = arming;
      this.#tuning = { ...this.#tuning, ...tuning };
    }
    return applied();
  }

  #listen(): Doing {
    if (this.#destination !== 'armed' && this.#destination !== 'fresh')
      return failed(`the destination is ${this.#destination}`);
    this.#destination = 'listening';
    return applied();
  }

  #migrate(): Doing {
    if (this.#destination !== 'listening') return failed('the destination does not listen');
    if (this.#simulation.qemu?.running === true)
      return failed("There's a migration process in progress");
    const [source, destination] = [this.#sourceArming, this.#destinationArming];
    if (source === undefined || source.family !== destination?.family)
      return failed('the sides are armed differently');
    this.#simulation.migrate(source, this.#tuning);
    return applied();
  }

  #tune(tuning: Tuning): Doing {
    const objection = this.#objectionTo(tuning);
    if (objection) return objection;
    this.#tuning = { ...this.#tuning, ...tuning };
    this.#simulation.qemu?.tune(tuning);
    return applied();
  }

  #throttle(percent: number, mechanism: 'qemu' | 'cgroup'): Doing {
    if (percent > this.#maxThrottlePercent)
      return refused(`throttle above ${String(this.#maxThrottlePercent)} %`);
    if (mechanism === 'qemu') return this.#tune({ autoConverge: setPoint(Math.max(1, percent)) });
    this.#simulation.cgroupThrottlePercent = percent;
    return applied();
  }

  #cancel(): Doing {
    const { qemu, nowMilliseconds } = this.#simulation;
    if (qemu?.running !== true) return applied();
    if (qemu.status !== 'active') return failed(`cannot cancel in ${qemu.status}`);
    qemu.cancel(nowMilliseconds);
    this.#destination = 'gone';
    this.destinationLost = true;
    return applied(cancelMilliseconds);
  }

  #startPostCopy(): Doing {
    const { qemu, nowMilliseconds } = this.#simulation;
    if (qemu?.arming.postCopy !== true) return failed('post-copy was not armed');
    // QEMU accepts it in any other state and does nothing.
    if (qemu.status === 'active') qemu.startPostCopy(nowMilliseconds);
    return applied();
  }

  /** What the gate or QEMU itself has against these settings; one bad key fails the whole call. */
  #objectionTo(tuning: Tuning): Doing | undefined {
    const { initialPercent = 0, maxPercent = 0 } = tuning.autoConverge ?? {};
    if (maxPercent > this.#maxThrottlePercent)
      return refused(`max-cpu-throttle above ${String(this.#maxThrottlePercent)} %`);
    if (initialPercent > maxPercent) return failed('cpu-throttle-initial above max-cpu-throttle');
    const { liveSettings } = this.#facts('destination', this.#life);
    const told = tuning.availSwitchoverBandwidthBytesPerSecond !== undefined;
    if (told && !liveSettings.includes('avail-switchover-bandwidth'))
      return failed("Parameter 'avail-switchover-bandwidth' is unexpected");
    return undefined;
  }

  #objectionToArming({ family, postCopy }: Arming): Doing | undefined {
    const { families, postCopyFamilies } = this.#facts('destination', this.#life);
    if (!families.includes(family)) return refused(`this QEMU has no ${family}`);
    if (postCopy && !postCopyFamilies.includes(family))
      return refused(`post-copy with ${family} would lose the VM`);
    return undefined;
  }

  #restore(side: Side): Doing {
    if (side === 'source') {
      this.#simulation.cgroupThrottlePercent = 0;
      this.#tuning = {};
      if (this.#simulation.qemu?.running === true) this.#simulation.qemu.tune(defaultTuning);
    }
    return applied();
  }
}

/** The agent's way to one level: both ends of QEMU's range at it, any dirtying triggers it. */
export function setPoint(percent: number): AutoConvergeSettings {
  return {
    initialPercent: percent,
    incrementPercent: 99,
    maxPercent: percent,
    triggerThresholdPercent: 1,
  };
}

function applied(tookMilliseconds = replyMilliseconds): Doing {
  return { tookMilliseconds, answer: () => ({ outcome: 'applied' }) };
}

function refused(reason: string): Doing {
  return {
    tookMilliseconds: replyMilliseconds,
    answer: () => ({ outcome: 'refused', reason }),
  };
}

function failed(reason: string): Doing {
  return {
    tookMilliseconds: replyMilliseconds,
    answer: () => ({ outcome: 'failed', reason }),
  };
}
