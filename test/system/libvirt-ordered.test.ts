/** `ferryman migrate` of libvirt's domains: libvirt moves them, as planned, and ferryman tunes it. */
import assert from 'node:assert/strict';
import type { DecisionRecord, Migration } from '../../brain/core/migration.ts';
import { canHostLibvirt } from '../rig/libvirt.ts';
import {
  agrees,
  mostDowntimeMilliseconds,
  parametersOf,
  vcpuGroup,
  watchLibvirt,
  type Watched,
} from './libvirt-watch.ts';
import { createStage, guests, until } from './support.ts';

const stage = createStage();

/** What is ordered in the very moment in which the guest leaves comes too late. */
function isCarriedOut({ outcome, reason = '' }: DecisionRecord): boolean {
  return outcome === 'applied' || reason.includes('moved away');
}

/** Families in which it was tried, in order. */
const families = ({ attempts }: Migration) => attempts.map(({ arming }) => arming.family);

describe('libvirt, told by ferryman', function () {
  let watched: Watched;
  let count = 0;

  const begin = async (vm: string, order: object = {}): Promise<string> => {
    await until('it is attached', () =>
      watched.brain.hosts().some(({ vms }) => vms.some(({ name }) => name === vm)),
    );
    const reply = await watched.order('migrate', { vm, to: 'b', ...order });
    assert.equal(reply['ok'], true, JSON.stringify(reply));
    count += 1;
    await watched.seen(count);
    return String(reply['id']);
  };
  const completed = async (vm: string, uuid: string): Promise<Migration> => {
    const migration = await watched.settled();
    const { result, decisions } = migration;
    const story = JSON.stringify({ result, decisions });
    assert.equal(result?.outcome, 'completed', story);
    assert.ok(decisions.every(isCarriedOut), story);
    assert.ok(result.downtimeMilliseconds > 0, story);
    assert.ok(result.downtimeMilliseconds <= mostDowntimeMilliseconds, story);
    await until('it is shown there', () => watched.runsOn(uuid).includes('b'));
    assert.deepEqual(watched.runsOn(uuid), ['b']);
    await agrees(watched.pair.destination, vm, result);
    return migration;
  };

  before(async function () {
    if (!canHostLibvirt()) this.skip();
    watched = await watchLibvirt(stage);
  });
  after(() => stage.clear());

  it('armed as planned, and at its destination', async () => {
    const uuid = await watched.pair.startDomain('sparse', guests.sparse);
    await begin('sparse');
    const migration = await completed('sparse', uuid);
    assert.deepEqual(families(migration), ['xbzrle']);
    assert.ok((migration.last?.xbzrle?.encodedPages ?? 0) > 0, 'XBZRLE had a part in it');
  });

  it('called back, with everything put back, and then brought across under a throttle', async () => {
    const { pair } = watched;
    const uuid = await pair.startDomain('busy', guests.diverging);
    const before = await parametersOf(pair.source, 'busy');
    const home = vcpuGroup(pair.source, 'busy');
    assert.ok(home.endsWith('/vcpu0'), home);
    const id = await begin('busy');
    await until('its vCPU is under a quota', () =>
      vcpuGroup(pair.source, 'busy').startsWith(`${home}/ferryman-`),
    );
    assert.equal((await watched.order('abort', { id }))['ok'], true);
    const { result } = await watched.settled();
    assert.equal(result?.outcome, 'cancelled', result?.reason);
    assert.deepEqual(await parametersOf(pair.source, 'busy'), before);
    assert.equal(vcpuGroup(pair.source, 'busy'), home);
    assert.deepEqual(watched.runsOn(uuid), ['a']);
    assert.equal(await pair.destination.virsh('list', '--name'), 'sparse');

    await begin('busy');
    const { decisions } = await completed('busy', uuid);
    assert.ok(decisions.some(({ decision }) => decision.operation.kind === 'throttle'));
  });

  it('by another method, which is a new migration', async () => {
    const { pair } = watched;
    const uuid = await pair.startDomain('ladder', guests.diverging);
    const before = await parametersOf(pair.source, 'ladder');
    await begin('ladder', { policy: 'ladder', objective: { maxThrottlePercent: 0 } });
    const migration = await watched.settled();
    const story = JSON.stringify(migration.decisions);
    assert.deepEqual(families(migration), ['plain', 'compress', 'xbzrle'], story);
    assert.ok(migration.decisions.every(isCarriedOut), story);
    // Nothing helps against random content, and this owner allows no throttle.
    assert.equal(migration.result?.outcome, 'cancelled');
    assert.deepEqual(await parametersOf(pair.source, 'ladder'), before);
    assert.deepEqual(watched.runsOn(uuid), ['a']);
  });

  it('turned down in the words of libvirt', async () => {
    const { pair } = watched;
    const uuid = await pair.startDomain('twin', guests.small);
    await pair.startTwin('twin', guests.small);
    await begin('twin', { from: 'a' });
    const { result } = await watched.settled();
    assert.equal(result?.outcome, 'failed');
    assert.match(result.reason ?? '', /domain 'twin'/);
    assert.deepEqual(watched.runsOn(uuid), ['a']);
  });
});
