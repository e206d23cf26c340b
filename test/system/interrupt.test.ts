/** `ferryman run` on real QEMU, interrupted: the VM runs on exactly one side, and is as it was. */
import assert from 'node:assert/strict';
import {
  ask,
  build,
  createStage,
  ended,
  guests,
  isMoving,
  runningSides,
  settingsOf,
  until,
} from './support.ts';

const stage = createStage();

describe('ferryman run, interrupted', () => {
  before(build);
  afterEach(() => stage.clear());

  it('cancels in pre-copy, even on a second signal, and puts the settings back', async () => {
    const pair = await stage.pair(guests.diverging);
    const settings = await settingsOf(pair.sourceQmp);
    const run = stage.run(pair, '--policy', 'none');
    await until('pages are sent', () => isMoving(run));
    run.child.kill('SIGINT');
    run.child.kill('SIGTERM');
    const { code, result } = await ended(run);
    assert.deepEqual([code, result.outcome], [4, 'cancelled']);
    assert.deepEqual(await runningSides(pair), ['source']);
    assert.deepEqual(await settingsOf(pair.sourceQmp), settings);
  });

  it('releases the throttle when it is interrupted under it', async () => {
    const pair = await stage.pair(guests.diverging);
    const run = stage.run(pair, '--throttle', 'qemu', '--max-throttle', '30%');
    await until('the guest is held back', () =>
      run.lines.some(({ throttlePercent }) => Number(throttlePercent) > 1),
    );
    run.child.kill('SIGINT');
    const { code } = await ended(run);
    assert.equal(code, 4);
    assert.deepEqual(await runningSides(pair), ['source']);
    const status = await ask(pair.sourceQmp, 'query-migrate');
    assert.equal(status?.['cpu-throttle-percentage'], undefined);
  });

  it('undoes nothing when the VM has just arrived', async () => {
    const pair = await stage.pair(guests.small);
    const waiting = await settingsOf(pair.destinationQmp);
    const run = stage.run(pair, '--destination-command', pair.destinationCommand);
    await until('the migration has completed', () =>
      run.lines.some(({ side, status }) => side === 'source' && status === 'completed'),
    );
    run.child.kill('SIGINT');
    const { code, result } = await ended(run);
    assert.deepEqual([code, result.outcome], [0, 'completed']);
    assert.deepEqual(await runningSides(pair), ['destination']);
    assert.deepEqual(await settingsOf(pair.destinationQmp), waiting);
  });
});
