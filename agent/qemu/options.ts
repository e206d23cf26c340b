/** From our settings to what QEMU must be told: complete, legal, and only what this QEMU has. */
import type { Arming, AutoConvergeSettings, Tuning } from '../../shared/command.ts';
import { families, type Family } from '../../shared/sample.ts';
import { FerrymanError } from '../../shared/errors.ts';
import { isMultifd, type Parameter, parameterTable, type ParameterValue } from './parameters.ts';
import { floorToPowerOfTwo } from './units.ts';

/** Capabilities and parameters as QEMU has them; a key that is missing does not exist there. */
export interface QemuSettings {
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What to set; only keys that this QEMU has. */
export interface QemuAssignments {
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** A command with its arguments, on its way to a monitor. */
export interface QmpCall {
  readonly command: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const off = (): boolean => false;

/**
 * Every capability that ferryman manages, always set explicitly. Those that are always off exclude
 * one of the others, or stop at a point from which only a command outside the allow-list leads on.
 */
const capabilityTable: Readonly<Record<string, (arming: Arming) => boolean>> = {
  events: () => true,
  'auto-converge': ({ autoConverge }) => autoConverge,
  xbzrle: ({ family }) => family === 'xbzrle',
  compress: ({ family }) => family === 'compress',
  multifd: isMultifd,
  'postcopy-ram': ({ postCopy }) => postCopy,
  'postcopy-preempt': off,
  'pause-before-switchover': off,
  'dirty-limit': off,
  'background-snapshot': off,
  'mapped-ram': off,
  'zero-copy-send': off,
  'x-colo': off,
};

/** True when ferryman sets this capability. */
export function isManagedCapability(name: string): boolean {
  return Object.hasOwn(capabilityTable, name);
}

/** QEMU's throttle as a set-point: it jumps there, up or down, at the next qualifying sync. */
export function throttleSetPoint(percent: number): AutoConvergeSettings {
  return {
    initialPercent: percent,
    incrementPercent: 99,
    maxPercent: percent,
    triggerThresholdPercent: 1,
  };
}

/** Armed and harmless: 1 % is the least that QEMU's throttle can do. */
export const inertThrottle: AutoConvergeSettings = throttleSetPoint(1);

/**
 * All that must be set before a start, on either side. auto-converge is armed inert unless `tuning`
 * says otherwise. Throws FerrymanError NOT_AVAILABLE when this QEMU lacks a capability asked for.
 */
export function armingToQemu(
  arming: Arming,
  tuning: Tuning,
  available: QemuSettings,
): QemuAssignments {
  const armed: Tuning = arming.autoConverge ? { autoConverge: inertThrottle, ...tuning } : tuning;
  const parameters = collect(available, ({ arming: value }) => value?.(arming));
  return {
    capabilities: capabilitiesFor(arming, available),
    parameters: { ...parameters, ...tuningToQemu(armed, available) },
  };
}

/** The parameters of a tuning that this QEMU has, in its units and within its ranges. */
export function tuningToQemu(
  tuning: Tuning,
  available: QemuSettings,
): Readonly<Record<string, ParameterValue>> {
  return collect(available, ({ tuning: value }) => value?.(tuning));
}

/** What puts back all that ferryman may have changed since `saved` was read. */
export function savedToQemu(saved: QemuSettings): QemuAssignments {
  const managed = Object.entries(saved.capabilities).filter(([name]) => isManagedCapability(name));
  return {
    capabilities: Object.fromEntries(managed),
    parameters: collect(saved, (_, name) => savedValue(name, saved.parameters[name])),
  };
}

/** What puts back what ferryman may have tuned of a migration that somebody else armed. */
export function tunedToQemu(saved: QemuSettings): QemuAssignments {
  const parameters = collect(
    saved,
    ({ tuning }, name) => tuning && savedValue(name, saved.parameters[name]),
  );
  return { capabilities: {}, parameters };
}

/** What a migration under these settings was armed with. */
export function armingOf({ capabilities, parameters }: QemuSettings): Arming {
  const has = (name: string): boolean => capabilities[name] === true;
  const channels = Number(parameters['multifd-channels']);
  return {
    family: familyOf(has, String(parameters['multifd-compression'])),
    autoConverge: has('auto-converge'),
    postCopy: has('postcopy-ram'),
    ...(has('multifd') && channels > 0 && { multifdChannels: channels }),
  };
}

function familyOf(has: (capability: string) => boolean, compression: string): Family {
  if (has('multifd')) {
    const family = families.find((each) => each === `multifd-${compression}`);
    return family ?? 'multifd';
  }
  return has('xbzrle') ? 'xbzrle' : has('compress') ? 'compress' : 'plain';
}

/** The calls that carry it out, capabilities first: QEMU checks some parameters against them. */
export function assignmentsToCalls({ capabilities, parameters }: QemuAssignments): QmpCall[] {
  const states = Object.entries(capabilities).map(([capability, state]) => ({ capability, state }));
  const calls: QmpCall[] = [];
  if (states.length > 0) {
    calls.push({ command: 'migrate-set-capabilities', arguments: { capabilities: states } });
  }
  if (Object.keys(parameters).length > 0) {
    calls.push({ command: 'migrate-set-parameters', arguments: parameters });
  }
  return calls;
}

function capabilitiesFor(arming: Arming, available: QemuSettings): Record<string, boolean> {
  const wanted: Record<string, boolean> = {};
  for (const [name, isWanted] of Object.entries(capabilityTable)) {
    const state = isWanted(arming);
    if (Object.hasOwn(available.capabilities, name)) wanted[name] = state;
    else if (state && name !== 'events') throw unavailable(name, arming);
  }
  return wanted;
}

function unavailable(capability: string, { family }: Arming): FerrymanError {
  return new FerrymanError(
    'NOT_AVAILABLE',
    `this QEMU has no migration capability ${capability}: choose a family other than ${family}, ` +
      'or leave auto-converge and post-copy out, among those announced at attach',
  );
}

/** Values for the parameters that `available` has, rounded and clamped to their ranges. */
function collect(
  available: QemuSettings,
  valueOf: (rule: Parameter, name: string) => ParameterValue | undefined,
): Record<string, ParameterValue> {
  const values: Record<string, ParameterValue> = {};
  for (const [name, rule] of Object.entries(parameterTable)) {
    const value = Object.hasOwn(available.parameters, name) ? valueOf(rule, name) : undefined;
    if (value !== undefined) values[name] = fit(name, rule, value);
  }
  return values;
}

function fit(name: string, rule: Parameter, value: ParameterValue): ParameterValue {
  const { minimum, maximum } = rule;
  if (typeof value !== 'number' || minimum === undefined || maximum === undefined) return value;
  if (Number.isNaN(value)) throw new RangeError(`${name} must be a number, not NaN`);
  const clamped = Math.round(Math.min(Math.max(value, minimum), maximum));
  return rule.powerOfTwo ? floorToPowerOfTwo(clamped) : clamped;
}

function savedValue(name: string, value: unknown): ParameterValue | undefined {
  // QEMU reads 0 as "no limit"; ferryman never sends 0 and says the same with the maximum.
  if (name === 'max-bandwidth' && value === 0) return parameterTable[name]?.maximum;
  const isPlain = ['number', 'string', 'boolean'].includes(typeof value);
  return isPlain ? (value as ParameterValue) : undefined;
}
