/** Readers of option values: what the operator types in, base units out, or a usage error. */
import { InvalidArgumentError, Option } from 'commander';
import { policies } from '../brain/core/policies/index.ts';
import { loopback, type ListenAddress } from '../shared/config/fields.ts';
import { messageOf } from '../shared/errors.ts';
import { parseBandwidth, parseDuration, parsePercent } from '../shared/units.ts';
import { parseEndpoint } from './endpoint.ts';

/** Turns a reader's error into a usage error; commander adds the option's name. */
function option<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(`${messageOf(error)}.`);
    }
  };
}

/** Lets a number pass that lies within the range. */
function within(
  read: (text: string) => number,
  [lowest, highest]: readonly [number, number],
  range: string,
): (text: string) => number {
  return (text) => {
    const value = read(text);
    if (value < lowest || value > highest) throw new Error(`'${text}' is not within ${range}`);
    return value;
  };
}

const oneHourMilliseconds = 3_600_000;
const oneDayMilliseconds = 24 * oneHourMilliseconds;
const lowestBandwidth = 64 * 1024;
const highestBandwidth = 64 * 1024 ** 3;

export const downtimeOption = option(within(parseDuration, [1, oneHourMilliseconds], '1ms to 1h'));
export const deadlineOption = option(
  within(parseDuration, [1000, oneDayMilliseconds], '1s to 24h'),
);
/** How far back; a year at most. */
export const sinceOption = option(
  within(parseDuration, [1000, 366 * oneDayMilliseconds], '1s to 8784h'),
);
export const percentOption = option(within(parsePercent, [0, 99], '0% to 99%'));
export const bandwidthOption = option(
  within(parseBandwidth, [lowestBandwidth, highestBandwidth], '64KiB/s to 64GiB/s'),
);
export const endpointOption = option(parseEndpoint);

/** `--policy`, or another option that names one of the core's policies. */
export function policyOption(
  flags = '--policy <name>',
  description = 'who chooses the methods',
): Option {
  return new Option(flags, description)
    .choices(policies.map(({ name }) => name))
    .default('adaptive');
}

/** An address of this machine; port 0 is any that is free. */
export const loopbackOption = option((text): ListenAddress => {
  const { data, error } = loopback.safeParse(text);
  if (data === undefined) throw new Error(error.issues[0]?.message ?? text);
  return data;
});
