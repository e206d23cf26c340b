/** The messages of shared/command.ts, field by field. */
import * as z from 'zod';
import * as is from './fields.ts';
import {
  arming,
  family,
  libvirtPlaceFields,
  probeReport,
  qemuRef,
  throttleMechanism,
  vmFacts,
} from './sample-schemas.ts';
import type {
  AutoConvergeSettings,
  Command,
  CommandResult,
  Endpoint,
  Operation,
  Tuning,
} from '../command.ts';

const autoConverge = is.message<AutoConvergeSettings>({
  initialPercent: is.percent,
  incrementPercent: is.percent,
  maxPercent: is.percent,
  triggerThresholdPercent: is.percent,
});

const tuning = is.message<Tuning>({
  downtimeLimitMilliseconds: is.amount.exactOptional(),
  maxBandwidthBytesPerSecond: is.amount.exactOptional(),
  availSwitchoverBandwidthBytesPerSecond: is.amount.exactOptional(),
  maxPostcopyBandwidthBytesPerSecond: is.amount.exactOptional(),
  autoConverge: autoConverge.exactOptional(),
});

const endpoint: z.ZodType<Endpoint> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tcp'), host: is.label, port: is.port }),
  z.object({ kind: z.literal('unix'), path: is.label }),
  z.object({ kind: z.literal('libvirt'), ...libvirtPlaceFields }),
]);

const operation: z.ZodType<Operation> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('probe'), budgetMilliseconds: is.amount }),
  z.object({ kind: z.literal('start-destination'), family }),
  z.object({ kind: z.literal('arm'), arming, tuning }),
  z.object({ kind: z.literal('listen'), endpoint }),
  z.object({ kind: z.literal('migrate'), endpoint }),
  z.object({ kind: z.literal('tune'), tuning }),
  z.object({
    kind: z.literal('throttle'),
    percent: is.percent,
    mechanism: throttleMechanism,
  }),
  z.object({ kind: z.literal('cancel') }),
  z.object({ kind: z.literal('start-postcopy') }),
  z.object({ kind: z.literal('recover-destination'), endpoint }),
  z.object({ kind: z.literal('resume'), endpoint }),
  z.object({ kind: z.literal('restore') }),
]);

export const command = is.message<Command>({
  id: is.label,
  epoch: is.count,
  sequence: is.count,
  target: qemuRef,
  expiresAtAgentMilliseconds: is.amount,
  operation,
});

export const commandResult = is.message<CommandResult>({
  id: is.label,
  outcome: z.enum(['applied', 'refused', 'failed', 'indeterminate']),
  reason: is.text.exactOptional(),
  probe: probeReport.exactOptional(),
  facts: vmFacts.exactOptional(),
  applied: is.dictionary.exactOptional(),
});
