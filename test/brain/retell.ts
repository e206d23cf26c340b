/** A recorded migration told to a listener as if it had just ended: telemetry, rounds, decisions. */
import type { Input } from '../../brain/core/input.ts';
import type { Migration } from '../../brain/core/migration.ts';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import { createTell, type Listener } from '../../brain/listeners.ts';
import { createRunner } from '../../brain/migrations/runner.ts';
import { parseTrace } from '../../brain/trace/trace.ts';
import type { QemuRef } from '../../shared/sample.ts';
import type { Telemetry, TelemetryBody } from '../../shared/telemetry.ts';
import { readGolden } from '../traces/golden.ts';

export interface Retelling {
  readonly trace: string;
  readonly id: string;
  /** What the VM is called now. */
  readonly vmName: string;
  readonly listener: Listener;
}

export interface Retold {
  readonly migration: Migration;
  /** All that was told of the two hosts. */
  readonly telemetry: readonly Telemetry[];
}

const endedMillisecondsAgo = 2_000;

export function retell({ trace, id, vmName, listener }: Retelling): Retold {
  const { header, inputs } = parseTrace(readGolden(trace));
  const { policy, atMilliseconds } = header;
  const last = inputs.at(-1)?.atMilliseconds ?? atMilliseconds;
  const shift = Math.round(Date.now() - endedMillisecondsAgo - last);
  const telemetry: Telemetry[] = [];
  const refs = new Map<string, QemuRef>();
  const tell = createTell([listener], (error) => {
    throw error;
  });
  const runner = createRunner({
    keep: () => undefined,
    aheadMilliseconds: 0,
    migration: startMigration({ id, policy, atMilliseconds: atMilliseconds + shift }),
    reduce,
    tell,
    // The trace has the results.
    execute: () => new Promise(() => undefined),
    now: () => last,
    onError: (error) => {
      throw error;
    },
  });
  for (const recorded of inputs) {
    const input = named(recorded, vmName, recorded.atMilliseconds + shift);
    if (input.kind === 'attach') refs.set(input.side, input.facts.ref);
    const message = messageOf(input, refs, telemetry.length);
    if (message) telemetry.push(message);
    if (message) tell((each) => each.onTelemetry?.(message));
    runner.feed(input);
  }
  return { migration: runner.migration(), telemetry };
}

function named(input: Input, name: string, atMilliseconds: number): Input {
  if (input.kind !== 'attach') return { ...input, atMilliseconds };
  return { ...input, atMilliseconds, facts: { ...input.facts, name } };
}

function messageOf(
  input: Input,
  refs: ReadonlyMap<string, QemuRef>,
  sequence: number,
): Telemetry | undefined {
  const ref = refs.get('side' in input ? input.side : 'source');
  const body = ref && bodyOf(input, ref);
  if (ref === undefined || body === undefined) return undefined;
  const { host, agentBoot } = ref;
  const { atMilliseconds } = input;
  return { header: { host, agentBoot, sequence, atMilliseconds, agentMilliseconds: 0 }, body };
}

function bodyOf(input: Input, ref: QemuRef): TelemetryBody | undefined {
  switch (input.kind) {
    case 'attach':
      return { kind: 'attach', facts: input.facts };
    case 'sample':
      return { kind: 'migration', ref, sample: input.sample };
    case 'activity':
      return { kind: 'activity', ref, activity: input.activity };
    case 'host':
      return { kind: 'host', sample: input.host };
    default:
      return undefined;
  }
}
