import assert from 'node:assert/strict';
import fc from 'fast-check';
import { judge, type GateContext } from '../../../agent/commands/gate.ts';
import { hostPolicy, standalonePolicy } from '../../../agent/host/policy-file.ts';
import type { Command, Operation } from '../../../shared/command.ts';
import { command, context, migrating, plainArming, ref, situation } from '../situations.ts';

const endpoint = { kind: 'tcp', host: 'h2', port: 49_160 } as const;
const arm: Operation = { kind: 'arm', arming: plainArming, tuning: {} };
const cancel: Operation = { kind: 'cancel' };
const startPostcopy: Operation = { kind: 'start-postcopy' };
const squeeze: Operation = { kind: 'throttle', percent: 50, mechanism: 'cgroup' };

function reasonOf(given: Command, where: GateContext): string {
  const verdict = judge(given, where);
  return verdict.verdict === 'refuse' ? verdict.reason : 'applied';
}

describe('gate: who and when', () => {
  const refusals: readonly (readonly [string, Partial<Command>, Partial<GateContext>])[] = [
    ['host', { target: { ...ref, host: 'h9' } }, {}],
    ['agent-life', { target: { ...ref, agentBoot: 'boot-0' } }, {}],
    ['epoch', { epoch: 2 }, {}],
    ['sequence', { sequence: 5 }, { last: { epoch: 3, sequence: 5 } }],
    ['sequence', { sequence: 4 }, { last: { epoch: 3, sequence: 5 } }],
    ['duplicate', {}, { isKnownId: true }],
    ['expired', { expiresAtAgentMilliseconds: 999 }, {}],
    ['observe-only', {}, { policy: hostPolicy({ mode: 'observe' }) }],
  ];
  for (const [rule, wrong, where] of refusals) {
    it(`refuses by rule ${rule}: ${JSON.stringify(wrong)}`, () => {
      assert.match(reasonOf(command(arm, wrong), context(where)), new RegExp(`^${rule}:`));
    });
  }

  it('refuses what is wrong in all ways at once by the first rule', () => {
    const wrong = command(cancel, { target: { ...ref, host: 'h9' }, epoch: 0 });
    assert.match(reasonOf(wrong, context({ isKnownId: true })), /^host:/);
  });

  it('begins a new count of sequences with a new epoch', () => {
    const last = { epoch: 3, sequence: 900 };
    assert.equal(reasonOf(command(arm, { epoch: 4, sequence: 1 }), context({ last })), 'applied');
  });

  it('refuses a VM that is not attached', () => {
    const { vm: _vm, ...without } = context();
    assert.match(reasonOf(command(arm), without), /^target: no VM u-1 with pid 42/);
    assert.equal(reasonOf(command({ kind: 'restore' }), without), 'applied');
  });

  it('raises no throttle while the beacon is missing, but lets go of one', () => {
    const silent = context({ vm: migrating(), brainIsSilent: true });
    assert.match(reasonOf(command(squeeze), silent), /^brain-silent:/);
    assert.equal(reasonOf(command({ ...squeeze, percent: 0 }), silent), 'applied');
    assert.equal(reasonOf(command(cancel), silent), 'applied');
  });
});

describe('gate: what', () => {
  const refuses = (operation: Operation, vm: GateContext['vm'], why: RegExp): void => {
    assert.match(reasonOf(command(operation), context(vm && { vm })), why);
  };
  const applies = (operation: Operation, vm: GateContext['vm']): void => {
    assert.equal(reasonOf(command(operation), context(vm && { vm })), 'applied');
  };

  it('does nothing in a state that it has never heard of', () => {
    refuses({ kind: 'restore' }, situation({ migrationStatus: 'warp' }), /warp is unknown/);
  });

  it('arms only at rest, and only what QEMU survives', () => {
    applies(arm, situation());
    applies(arm, situation({ runState: 'inmigrate', migrationStatus: 'setup' }));
    refuses(arm, migrating(), /arming has to wait: its migration is active/);
    refuses(arm, situation({ migrationStatus: 'cancelling' }), /has to wait/);
    const zlib = { ...arm, arming: { ...plainArming, family: 'multifd-zlib' } } as const;
    refuses(zlib, situation(), /multifd-zlib is not safe or not known/);
    const both = { ...plainArming, family: 'multifd', postCopy: true } as const;
    refuses({ ...arm, arming: both }, situation(), /post-copy and multifd exclude each other/);
  });

  it('starts a migration only when armed, at rest, and with the guest here', () => {
    const migrate: Operation = { kind: 'migrate', endpoint };
    applies(migrate, situation({}, { armed: plainArming }));
    refuses(migrate, situation(), /not armed/);
    refuses(migrate, migrating(), /second migration has to wait/);
    const armed = { armed: plainArming };
    refuses(migrate, situation({ runState: 'postmigrate' }, armed), /already moved away/);
    refuses(migrate, situation({ runState: 'inmigrate' }, armed), /waiting for a migration/);
  });

  it('lets only a waiting destination listen', () => {
    applies({ kind: 'listen', endpoint }, situation({ runState: 'inmigrate' }));
    refuses({ kind: 'listen', endpoint }, situation(), /it is running, not inmigrate/);
  });

  it('sends a domain of libvirt to a libvirt, and nobody else', () => {
    const armed = { armed: plainArming };
    const domain = situation({ owner: 'libvirt' }, armed);
    const libvirt = { kind: 'libvirt', transport: 'tls', host: 'h2' } as const;
    applies({ kind: 'migrate', endpoint: libvirt }, domain);
    refuses({ kind: 'migrate', endpoint }, domain, /only to another libvirt/);
    refuses({ kind: 'migrate', endpoint: libvirt }, situation({}, armed), /not run by a libvirt/);
  });

  it('cancels pre-copy only, and never once post-copy was requested', () => {
    for (const migrationStatus of ['setup', 'active', 'pre-switchover', 'wait-unplug']) {
      applies(cancel, situation({ migrationStatus }));
    }
    for (const migrationStatus of [
      'none',
      'device',
      'postcopy-active',
      'postcopy-paused',
      'completed',
    ]) {
      refuses(
        cancel,
        situation({ migrationStatus }),
        new RegExp(`migration is ${migrationStatus}`),
      );
    }
    refuses(cancel, migrating({ postCopyRequested: true }), /post-copy was requested/);
  });

  it('enters post-copy with two keys, once, from active', () => {
    applies(startPostcopy, migrating());
    refuses(startPostcopy, migrating({ postCopyRequested: true }), /requested before/);
    refuses(startPostcopy, migrating({ armed: plainArming }), /not armed/);
    const armed = { armed: { ...plainArming, postCopy: true } };
    refuses(startPostcopy, situation({ migrationStatus: 'setup' }, armed), /setup, not active/);
    const oneKey = context({ vm: migrating(), policy: standalonePolicy() });
    assert.match(reasonOf(command(startPostcopy), oneKey), /host policy forbids post-copy/);
  });

  it('recovers only what is paused', () => {
    applies({ kind: 'resume', endpoint }, situation({ migrationStatus: 'postcopy-paused' }));
    refuses({ kind: 'resume', endpoint }, migrating(), /not postcopy-paused/);
    refuses({ kind: 'recover-destination', endpoint }, situation(), /not postcopy-paused/);
  });

  it('squeezes only a guest that is being copied, by what is there', () => {
    applies(squeeze, migrating());
    refuses(squeeze, situation(), /no pre-copy is under way/);
    refuses(squeeze, situation({ migrationStatus: 'postcopy-active' }), /no pre-copy/);
    applies({ ...squeeze, percent: 0 }, situation());
    const { facts } = migrating();
    refuses(squeeze, { ...migrating(), facts: { ...facts, throttles: [] } }, /not available/);
    const unarmed = migrating({ armed: { ...plainArming, autoConverge: false } });
    refuses({ ...squeeze, mechanism: 'qemu' }, unarmed, /auto-converge was not armed/);
  });

  it('tunes live settings only, and in post-copy only its bandwidth', () => {
    const available = { availSwitchoverBandwidthBytesPerSecond: 2e6 };
    refuses({ kind: 'tune', tuning: available }, migrating(), /avail-switchover-bandwidth cannot/);
    const postCopy = situation({ migrationStatus: 'postcopy-active' });
    refuses({ kind: 'tune', tuning: { downtimeLimitMilliseconds: 300 } }, postCopy, /post-copy/);
    applies({ kind: 'tune', tuning: { maxPostcopyBandwidthBytesPerSecond: 2e6 } }, postCopy);
  });

  it('sends memory only where the host policy allows', () => {
    const strict = context({
      vm: situation({}, { armed: plainArming }),
      policy: hostPolicy({ destinationHosts: ['h2'] }),
    });
    const to = (host: string, port: number): string =>
      reasonOf(command({ kind: 'migrate', endpoint: { kind: 'tcp', host, port } }), strict);
    assert.equal(to('h2', 49_160), 'applied');
    assert.match(to('h3', 49_160), /h3 is not among the destinationHosts/);
    assert.match(to('h2', 22), /port 22 is outside 49152 to 49215/);
    assert.match(to('h2,to=9', 49_160), /no migration endpoint/);
    const vm = situation({ owner: 'libvirt' }, { armed: plainArming });
    const toLibvirt = (host: string): string => {
      const there = { kind: 'libvirt', transport: 'tls', host } as const;
      return reasonOf(command({ kind: 'migrate', endpoint: there }), { ...strict, vm });
    };
    assert.equal(toLibvirt('h2'), 'applied');
    assert.match(toLibvirt('h3'), /h3 is not among the destinationHosts/);
    assert.match(toLibvirt('-oProxyCommand=id'), /no migration endpoint/);
  });

  it('starts a destination only where the policy has a command for it', () => {
    const start: Operation = { kind: 'start-destination', family: 'plain' };
    const { vm: _vm, ...without } = context();
    assert.match(reasonOf(command(start), without), /no destinationCommand/);
    const policy = standalonePolicy({ destinationCommand: 'true' });
    assert.equal(reasonOf(command(start), { ...without, policy }), 'applied');
  });
});

describe('gate: a model of commands arriving in any order', () => {
  it('never applies one id twice, an older epoch or an older sequence', () => {
    const arrival = fc.record({
      id: fc.integer({ min: 1, max: 6 }).map((id) => `m.${String(id)}`),
      epoch: fc.integer({ min: 1, max: 4 }),
      sequence: fc.integer({ min: 1, max: 6 }),
      lateMilliseconds: fc.integer({ min: -5, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 40 }), (arrivals) => {
        const applied: { id: string; epoch: number; sequence: number }[] = [];
        for (const { lateMilliseconds, ...rest } of arrivals) {
          const last = applied.at(-1);
          const where = context({
            highestEpoch: Math.max(0, ...applied.map(({ epoch }) => epoch)),
            isKnownId: applied.some(({ id }) => id === rest.id),
            ...(last && { last }),
          });
          const expiresAtAgentMilliseconds = where.nowAgentMilliseconds - lateMilliseconds;
          const verdict = judge(command(arm, { ...rest, expiresAtAgentMilliseconds }), where);
          if (verdict.verdict !== 'apply') continue;
          assert.ok(lateMilliseconds <= 0);
          assert.ok(!applied.some(({ id }) => id === rest.id));
          if (last !== undefined) {
            const isNewer =
              rest.epoch > last.epoch ||
              (rest.epoch === last.epoch && rest.sequence > last.sequence);
            assert.ok(isNewer);
          }
          applied.push(rest);
        }
      }),
      { numRuns: 500 },
    );
  });
});
