import { Option, type Command } from 'commander';
import type { Endpoint } from '../shared/command.ts';
import type { ListenAddress } from '../shared/config/fields.ts';
import { defaultObjective, type Objective } from '../shared/objective.ts';
import type { VmFacts } from '../shared/sample.ts';
import { bandwidthOption, deadlineOption, downtimeOption, percentOption } from './options.ts';

/** What the VM's owner allows, as commander hands it over: quantities already in base units. */
export interface ObjectiveFlags {
  readonly downtimeLimit: number;
  readonly maxThrottle: number;
  readonly throttle: Objective['throttle'];
  readonly ioSensitive?: boolean;
  readonly deadline: number;
  readonly postCopy: Objective['postCopy'];
  readonly maxBandwidth?: number;
  readonly linkBandwidth?: number;
}

/** The options of `ferryman run`. */
export interface RunFlags extends ObjectiveFlags {
  readonly sourceQmp: string;
  readonly destinationQmp: string;
  readonly uri: Endpoint;
  readonly policy: string;
  readonly destinationCommand?: string;
  readonly nats?: string;
  readonly record?: string;
  readonly page?: ListenAddress;
  readonly json?: boolean;
}

/** What the flags allow the brain to do with this VM. */
export function objectiveOf(flags: ObjectiveFlags): Objective {
  return {
    ...defaultObjective,
    downtimeLimitMilliseconds: flags.downtimeLimit,
    maxThrottlePercent: flags.maxThrottle,
    throttle: flags.throttle,
    ioSensitive: flags.ioSensitive ?? false,
    deadlineMilliseconds: flags.deadline,
    postCopy: flags.postCopy,
    ...(flags.maxBandwidth === undefined ? {} : { maxBandwidthBytesPerSecond: flags.maxBandwidth }),
    ...(flags.linkBandwidth === undefined
      ? {}
      : { linkBandwidthBytesPerSecond: flags.linkBandwidth }),
  };
}

const objectiveKeys = {
  downtimeLimit: 'downtimeLimitMilliseconds',
  maxThrottle: 'maxThrottlePercent',
  throttle: 'throttle',
  ioSensitive: 'ioSensitive',
  deadline: 'deadlineMilliseconds',
  postCopy: 'postCopy',
  maxBandwidth: 'maxBandwidthBytesPerSecond',
  linkBandwidth: 'linkBandwidthBytesPerSecond',
} as const satisfies Readonly<Record<keyof ObjectiveFlags, keyof Objective>>;

/** Only what was said on the command line: the rest is as configured for the VM. */
export function givenObjective(command: Command): Partial<Objective> {
  const values: Readonly<Record<string, unknown>> = command.opts();
  const given = Object.entries(objectiveKeys).filter(
    ([flag]) => command.getOptionValueSource(flag) === 'cli',
  );
  return Object.fromEntries(given.map(([flag, key]) => [key, values[flag]]));
}

/** The options that say what the VM's owner allows, with their defaults. */
export function addObjectiveOptions(command: Command): void {
  const { downtimeLimitMilliseconds, maxThrottlePercent, deadlineMilliseconds } = defaultObjective;
  command
    .addOption(
      new Option('--downtime-limit <duration>', 'how long the guest may pause at the switchover')
        .default(downtimeLimitMilliseconds, `${String(downtimeLimitMilliseconds)}ms`)
        .argParser(downtimeOption),
    )
    .addOption(
      new Option('--max-throttle <percent>', 'how far the guest may be held back')
        .default(maxThrottlePercent, `${String(maxThrottlePercent)}%`)
        .argParser(percentOption),
    )
    .addOption(
      new Option('--throttle <means>', 'what holds it back')
        .choices(['auto', 'qemu', 'cgroup'])
        .default('auto'),
    )
    .option('--io-sensitive', 'the guest must answer interrupts promptly: prefer short pauses')
    .addOption(
      new Option('--deadline <duration>', 'give up when it takes longer')
        .default(deadlineMilliseconds, `${String(deadlineMilliseconds / 1000)}s`)
        .argParser(deadlineOption),
    )
    .addOption(
      new Option('--post-copy <when>', 'whether post-copy may be used')
        .choices(['never', 'last-resort'])
        .default('never'),
    )
    .option('--max-bandwidth <rate>', 'a cap on migration traffic', bandwidthOption)
    .option('--link-bandwidth <rate>', 'what the link gives, as a hint', bandwidthOption);
}

/** Why the asked-for throttle cannot hold this guest back; undefined when it can. */
export function throttleProblem(
  { throttle }: Pick<RunFlags, 'throttle'>,
  { throttles }: Pick<VmFacts, 'throttles'>,
): string | undefined {
  if (throttle === 'auto' || throttles.some(({ mechanism }) => mechanism === throttle)) {
    return undefined;
  }
  const [needs, other] =
    throttle === 'cgroup'
      ? ['it takes root, and the cpu controller of the QEMU process', 'qemu']
      : ['this QEMU has no auto-converge', 'cgroup'];
  return (
    `--throttle ${throttle} is not available here: ${needs}. ` +
    `The guest will not be held back; --throttle auto uses ${other} where it can.`
  );
}
