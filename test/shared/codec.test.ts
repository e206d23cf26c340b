import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import * as codec from '../../shared/codec.ts';
import type { Command, CommandResult } from '../../shared/command.ts';
import type { Beacon, Telemetry } from '../../shared/telemetry.ts';
import * as messages from './codec/messages.ts';

interface Case<T> {
  readonly encode: (message: T) => Uint8Array;
  readonly decode: (payload: Uint8Array) => T;
  readonly arbitrary: Arbitrary<T>;
  readonly golden: T;
}

const ref = { host: 'h1', agentBoot: 'b1', qemuPid: 4711, uuid: 'c0ffee00-0000-4000-8000-1' };

const telemetry: Case<Telemetry> = {
  encode: codec.encodeTelemetry,
  decode: codec.decodeTelemetry,
  arbitrary: messages.telemetry,
  golden: {
    header: {
      host: 'h1',
      agentBoot: 'b1',
      sequence: 7,
      atMilliseconds: 1_760_000_000_000.5,
      agentMilliseconds: 1234.25,
    },
    body: {
      kind: 'migration',
      ref,
      sample: {
        status: 'active',
        throttlePercent: 0,
        totalMilliseconds: 800,
        ram: {
          transferredBytes: 2 ** 40 + 1,
          remainingBytes: 0,
          totalBytes: 2 ** 32,
          duplicatePages: 1,
          normalPages: 2,
          normalBytes: 8192,
          dirtySyncCount: 3,
          dirtyPagesPerSecond: 4.5,
          pagesPerSecond: 5,
          pageBytes: 4096,
          bandwidthBytesPerSecond: 33_554_432,
          multifdBytes: 0,
          precopyBytes: 6,
          downtimeBytes: 0,
          postcopyBytes: 0,
          postcopyRequests: 0,
        },
      },
    },
  },
};

const command: Case<Command> = {
  encode: codec.encodeCommand,
  decode: codec.decodeCommand,
  arbitrary: messages.command,
  golden: {
    id: 'm1.3',
    epoch: 2,
    sequence: 9,
    target: ref,
    expiresAtAgentMilliseconds: 5000,
    operation: {
      kind: 'recover-destination',
      endpoint: { kind: 'tcp', host: '192.0.2.1', port: 49_152 },
    },
  },
};

const commandResult: Case<CommandResult> = {
  encode: codec.encodeCommandResult,
  decode: codec.decodeCommandResult,
  arbitrary: messages.commandResult,
  golden: { id: 'm1.3', outcome: 'applied', applied: { 'downtime-limit': '300' } },
};

const beacon: Case<Beacon> = {
  encode: codec.encodeBeacon,
  decode: codec.decodeBeacon,
  arbitrary: messages.beacon,
  golden: { epoch: 2, brain: 'brain-1' },
};

const runs = { numRuns: 60 };

function describeMessage<T>(name: string, { encode, decode, arbitrary, golden }: Case<T>): void {
  describe(name, () => {
    it('comes back as it went', () => {
      const roundTrip = (message: T) => {
        assert.deepEqual(decode(encode(message)), message);
      };
      fc.assert(fc.property(arbitrary, roundTrip), runs);
    });

    it('has the bytes that earlier versions wrote', () => {
      const file = join(import.meta.dirname, 'golden', `${name}.hex`);
      const bytes = Buffer.from(encode(golden)).toString('hex');
      if (process.env['FERRYMAN_GOLDEN'] === 'rewrite') writeFileSync(file, `${bytes}\n`);
      const recorded = readFileSync(file, 'utf8').trim();
      assert.equal(bytes, recorded);
      assert.deepEqual(decode(Buffer.from(recorded, 'hex')), golden);
    });

    it('is refused, or a valid message, when cut off at any byte', () => {
      const bytes = encode(golden);
      for (let length = 0; length < bytes.length; length += 1) {
        expectCodecErrorOrValid(bytes.subarray(0, length), encode, decode);
      }
    });

    it('is refused, or a valid message, whatever the bytes', () => {
      const bytes = encode(golden);
      const flipped = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
      const flip = ([index, mask]: [number, number]) => {
        const broken = Uint8Array.from(bytes);
        broken[index] = (broken[index] ?? 0) ^ mask;
        expectCodecErrorOrValid(broken, encode, decode);
      };
      fc.assert(fc.property(flipped, flip), { numRuns: 300 });
      const noise = fc.uint8Array({ maxLength: 200 });
      const check = (payload: Uint8Array) => expectCodecErrorOrValid(payload, encode, decode);
      fc.assert(fc.property(noise, check), { numRuns: 300 });
    });
  });
}

/** What decodes must encode: encoding validates every figure again. */
function expectCodecErrorOrValid<T>(
  payload: Uint8Array,
  encode: (message: T) => Uint8Array,
  decode: (payload: Uint8Array) => T,
): void {
  let message: T;
  try {
    message = decode(payload);
  } catch (thrown) {
    assert.ok(thrown instanceof codec.CodecError, String(thrown));
    return;
  }
  assert.deepEqual(decode(encode(message)), message);
}

describe('shared/codec', () => {
  describeMessage('telemetry', telemetry);
  describeMessage('command', command);
  describeMessage('command-result', commandResult);
  describeMessage('beacon', beacon);

  const withRemaining = (remainingBytes: number) => {
    const { header, body } = telemetry.golden;
    assert.ok(body.kind === 'migration' && body.sample.ram);
    const ram = { ...body.sample.ram, remainingBytes };
    return codec.encodeTelemetry({ header, body: { ...body, sample: { ...body.sample, ram } } });
  };

  it('names the field that holds an impossible figure, before it is sent', () => {
    const field = 'body.sample.ram.remainingBytes';
    for (const figure of [Number.NaN, Infinity, -1, 0.5, 2 ** 53 + 2]) {
      assert.throws(() => withRemaining(figure), { name: 'CodecError', field });
    }
  });

  it('refuses an operation that it does not know', () => {
    const unknown = { ...command.golden, operation: { kind: 'quit' } } as unknown as Command;
    assert.throws(() => codec.encodeCommand(unknown), { code: 'CODEC', field: /^operation/ });
  });

  it('never holds two operations: of several on the wire the last counts', () => {
    // Field 6 of Command, an Operation holding cancel (8) and restore (12), both empty.
    const others = Uint8Array.of(0x32, 0x04, 0x42, 0x00, 0x62, 0x00);
    const all = Buffer.concat([codec.encodeCommand(command.golden), others]);
    assert.deepEqual(codec.decodeCommand(all).operation, { kind: 'restore' });
  });

  it('refuses a command without an operation', () => {
    const cancel = { ...command.golden, operation: { kind: 'cancel' } } as const;
    const withoutOperation = codec.encodeCommand(cancel).subarray(0, -4);
    for (const rest of [new Uint8Array(), Uint8Array.of(0x32, 0x00)]) {
      const payload = Buffer.concat([withoutOperation, rest]);
      assert.throws(() => codec.decodeCommand(payload), { field: /^operation/ });
    }
  });

  it('refuses more than 64 KiB before it decodes, and long lists', () => {
    const tooBig = new Uint8Array(codec.maxPayloadBytes + 1);
    assert.throws(() => codec.decodeTelemetry(tooBig), /more than the 65536 allowed/);
    const nics = Array.from({ length: 257 }, (_, index) => ({
      name: `eth${String(index)}`,
      receivedBytesPerSecond: 0,
      sentBytesPerSecond: 0,
    }));
    const sample = { ...hostAtRest, nics };
    const { header } = telemetry.golden;
    assert.throws(() => codec.encodeTelemetry({ header, body: { kind: 'host', sample } }), {
      field: 'body.sample.nics',
    });
  });

  it('keeps a hostile key a key', () => {
    const detail = JSON.parse('{"__proto__":"x","constructor":"y","kind":"z"}') as object;
    const body = { kind: 'event', ref, name: 'STOP', detail: { ...detail } } as const;
    const sent = { header: telemetry.golden.header, body };
    const received = codec.decodeTelemetry(codec.encodeTelemetry(sent));
    assert.ok(received.body.kind === 'event');
    assert.equal(received.body.detail['kind'], 'z');
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
    assert.equal(Reflect.get({}, 'x'), undefined);
  });
});

const hostAtRest = {
  cpuCores: 2,
  cpuBusyShare: 0,
  cpuStealShare: 0,
  idleCpuCores: 2,
  totalMemoryBytes: 1,
  freeMemoryBytes: 1,
};
