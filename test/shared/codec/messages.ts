/** Every message that the types allow. */
import fc, { type Arbitrary } from 'fast-check';
import type {
  AutoConvergeSettings,
  Command,
  CommandResult,
  Endpoint,
  Operation,
  Tuning,
} from '../../../shared/command.ts';
import type {
  Beacon,
  Telemetry,
  TelemetryBody,
  TelemetryHeader,
} from '../../../shared/telemetry.ts';
import { amount, count, dictionary, label, message, percent } from './arbitrary.ts';
import {
  arming,
  family,
  hostFacts,
  hostSample,
  mechanism,
  migrationSample,
  probeReport,
  qemuRef,
  vmActivity,
  vmFacts,
} from './samples.ts';

type Kind<Union extends { kind: string }, Name extends Union['kind']> = Extract<
  Union,
  { kind: Name }
>;

const header = message<TelemetryHeader>({
  host: label,
  agentBoot: label,
  sequence: count,
  atMilliseconds: amount,
  agentMilliseconds: amount,
});

const bodies: { [Name in TelemetryBody['kind']]: Arbitrary<Kind<TelemetryBody, Name>> } = {
  attach: message({ kind: fc.constant('attach'), facts: vmFacts }),
  detach: message({ kind: fc.constant('detach'), ref: qemuRef, reason: label }),
  migration: message({ kind: fc.constant('migration'), ref: qemuRef, sample: migrationSample }),
  activity: message({ kind: fc.constant('activity'), ref: qemuRef, activity: vmActivity }),
  host: message({ kind: fc.constant('host'), sample: hostSample }, { facts: hostFacts }),
  event: message({ kind: fc.constant('event'), ref: qemuRef, name: label, detail: dictionary }),
  alert: message({ kind: fc.constant('alert'), message: label }, { ref: qemuRef }),
};

export const telemetry = message<Telemetry>({ header, body: fc.oneof(...Object.values(bodies)) });

export const beacon = message<Beacon>({ epoch: count, brain: label });

const endpoint = fc.oneof(
  message<Kind<Endpoint, 'tcp'>>({
    kind: fc.constant('tcp'),
    host: label,
    port: fc.integer({ min: 1, max: 65_535 }),
  }),
  message<Kind<Endpoint, 'unix'>>({ kind: fc.constant('unix'), path: label }),
  message<Kind<Endpoint, 'libvirt'>>(
    { kind: fc.constant('libvirt'), transport: fc.constantFrom('tls', 'tcp', 'ssh'), host: label },
    { port: fc.integer({ min: 1, max: 65_535 }) },
  ),
);

const autoConverge = message<AutoConvergeSettings>({
  initialPercent: percent,
  incrementPercent: percent,
  maxPercent: percent,
  triggerThresholdPercent: percent,
});

const tuning = message<Tuning>(
  {},
  {
    downtimeLimitMilliseconds: amount,
    maxBandwidthBytesPerSecond: amount,
    availSwitchoverBandwidthBytesPerSecond: amount,
    maxPostcopyBandwidthBytesPerSecond: amount,
    autoConverge,
  },
);

const operations: { [Name in Operation['kind']]: Arbitrary<Kind<Operation, Name>> } = {
  probe: message({ kind: fc.constant('probe'), budgetMilliseconds: amount }),
  'start-destination': message({ kind: fc.constant('start-destination'), family }),
  arm: message({ kind: fc.constant('arm'), arming, tuning }),
  listen: message({ kind: fc.constant('listen'), endpoint }),
  migrate: message({ kind: fc.constant('migrate'), endpoint }),
  tune: message({ kind: fc.constant('tune'), tuning }),
  throttle: message({ kind: fc.constant('throttle'), percent, mechanism }),
  cancel: message({ kind: fc.constant('cancel') }),
  'start-postcopy': message({ kind: fc.constant('start-postcopy') }),
  'recover-destination': message({ kind: fc.constant('recover-destination'), endpoint }),
  resume: message({ kind: fc.constant('resume'), endpoint }),
  restore: message({ kind: fc.constant('restore') }),
};

export const command = message<Command>({
  id: label,
  epoch: count,
  sequence: count,
  target: qemuRef,
  expiresAtAgentMilliseconds: amount,
  operation: fc.oneof(...Object.values(operations)),
});

export const commandResult = message<CommandResult>(
  { id: label, outcome: fc.constantFrom('applied', 'refused', 'failed', 'indeterminate') },
  {
    reason: label,
    probe: probeReport,
    facts: vmFacts,
    applied: dictionary.filter((entries) => Object.keys(entries).length > 0),
  },
);
