import { Command } from 'commander';
import { BusError } from '../../shared/errors.ts';
import { ExitError, exitCodes, type ExitCode, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { checkUp, natsFault, verdictOf, type Check, type CheckState } from '../fleet/checkup.ts';
import { withFleet } from '../fleet/client.ts';
import type { Output } from '../reporters/reporter.ts';
import {
  paint,
  span,
  styleFor,
  wrap,
  type Line,
  type Style,
  type Tone,
} from '../terminal/style.ts';

interface DoctorFlags extends FleetFlags {
  readonly to?: string;
  readonly from?: string;
  readonly sharedStorage?: boolean;
}

/** `ferryman doctor`: looks at all parts, and at the way of one VM when it is named. */
export function doctorCommand(finish: Finish): Command {
  const command = new Command('doctor')
    .description(
      'look at NATS, brain, InfluxDB, agents and their rights; exit 3 when a part is stopped, ' +
        '5 when the named VM cannot move',
    )
    .argument('[vm]', 'a VM: whether it could move to --to HOST')
    .option('--to <host>', 'the host it shall run on')
    .option('--from <host>', 'the host it runs on, where several VMs have the name')
    .option('--shared-storage', "local files are the same on both hosts: the operator's word");
  return addFleetOptions(command, 'NDJSON: a line for each check, the verdict last').action(
    async (vm: string | undefined, flags: DoctorFlags) => {
      const checks = await examine(vm, flags);
      (flags.json === true ? printChecksJson : printChecks)(checks, process.stdout);
      finish(doctorCode(checks));
    },
  );
}

async function examine(vm: string | undefined, flags: DoctorFlags): Promise<readonly Check[]> {
  const { to, from, sharedStorage } = flags;
  if ((vm === undefined) !== (to === undefined)) {
    throw new ExitError(exitCodes.usage, 'name a VM and --to HOST, or neither');
  }
  const question = vm !== undefined &&
    to !== undefined && {
      ...{ vm, to },
      ...(from !== undefined && { from }),
      ...(sharedStorage !== undefined && { sharedStorage }),
    };
  try {
    return await withFleet(flags, (fleet) => checkUp(fleet, question || undefined));
  } catch (error) {
    if (error instanceof BusError) return [natsFault(error)];
    throw error;
  }
}

/** A part that is stopped comes before a VM that cannot move. */
export function doctorCode(checks: readonly Check[]): ExitCode {
  const faults = checks.filter(({ state }) => state === 'fault');
  if (faults.length === 0) return exitCodes.ok;
  const isOnlyPreflight = faults.every(({ part }) => part === 'preflight');
  return isOnlyPreflight ? exitCodes.refused : exitCodes.unreachable;
}

/** Every check as a line of JSON, then the verdict. */
export function printChecksJson(checks: readonly Check[], output: Output): void {
  const print = (line: object) => output.write(`${JSON.stringify(line)}\n`);
  for (const check of checks) print({ type: 'check', ...check });
  print({ type: 'doctor', state: verdictOf(checks) });
}

/** The same for people. */
export function printChecks(checks: readonly Check[], output: Output): void {
  const style = styleFor(output, process.env);
  const lines = [...checks.flatMap((check) => checkLines(check, style)), verdictLine(checks)];
  for (const line of lines) output.write(`${paint(line, style)}\n`);
}

const tones: Readonly<Record<CheckState, Tone>> = { ok: 'good', limited: 'warning', fault: 'bad' };
const stateColumns = 9;
const partColumns = 11;

function checkLines({ part, state, message }: Check, style: Style): readonly Line[] {
  const columns = Math.max(20, style.columns - stateColumns - partColumns);
  return wrap(message, columns).map((piece, index): Line => {
    const isFirst = index === 0;
    return [
      span((isFirst ? state : '').padEnd(stateColumns), tones[state]),
      span((isFirst ? part : '').padEnd(partColumns), 'strong'),
      span(piece),
    ];
  });
}

function verdictLine(checks: readonly Check[]): Line {
  const verdict = verdictOf(checks);
  const text = {
    ok: 'All is well.',
    limited: 'It works; what could be better is said above.',
    fault: 'Something is wrong; it is named above.',
  }[verdict];
  return [span(text, tones[verdict])];
}
