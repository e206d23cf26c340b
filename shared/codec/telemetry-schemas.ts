/** The messages of shared/telemetry.ts, field by field. */
import * as z from 'zod';
import * as is from './fields.ts';
import {
  hostFacts,
  hostSample,
  migrationSample,
  qemuRef,
  vmActivity,
  vmFacts,
} from './sample-schemas.ts';
import type { Beacon, Telemetry, TelemetryBody, TelemetryHeader } from '../telemetry.ts';

const header = is.message<TelemetryHeader>({
  host: is.label,
  agentBoot: is.label,
  sequence: is.count,
  atMilliseconds: is.amount,
  agentMilliseconds: is.amount,
});

const body: z.ZodType<TelemetryBody> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('attach'), facts: vmFacts }),
  z.object({ kind: z.literal('detach'), ref: qemuRef, reason: is.text }),
  z.object({ kind: z.literal('migration'), ref: qemuRef, sample: migrationSample }),
  z.object({ kind: z.literal('activity'), ref: qemuRef, activity: vmActivity }),
  z.object({ kind: z.literal('host'), sample: hostSample, facts: hostFacts.exactOptional() }),
  z.object({
    kind: z.literal('event'),
    ref: qemuRef,
    name: is.label,
    detail: is.dictionary.default({}),
  }),
  z.object({ kind: z.literal('alert'), ref: qemuRef.exactOptional(), message: is.text }),
]);

export const telemetry = is.message<Telemetry>({ header, body });

export const beacon = is.message<Beacon>({ epoch: is.count, brain: is.label });
