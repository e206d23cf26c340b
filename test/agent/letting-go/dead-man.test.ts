import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { hear, pass, watchBrain, type DeadManStage } from '../../../agent/letting-go/dead-man.ts';

describe('dead-man', () => {
  it('goes to the floor after 5 s and gives up after 30 s of silence', () => {
    let state = hear(1000);
    state = pass(state, 5999);
    assert.equal(state.stage, 'heard');
    state = pass(state, 6000);
    assert.equal(state.stage, 'floored');
    state = pass(state, 30_999);
    assert.equal(state.stage, 'floored');
    assert.equal(pass(state, 31_000).stage, 'given-up');
  });

  it('passes the floor on its way even after a long pause of the whole process', () => {
    const late = pass(hear(0), 100_000);
    assert.equal(late.stage, 'floored');
    assert.equal(pass(late, 100_000).stage, 'given-up');
  });

  it('is as new after a beacon', () => {
    const silent = pass(pass(hear(0), 40_000), 40_000);
    assert.equal(silent.stage, 'given-up');
    assert.equal(pass(hear(41_000), 45_000).stage, 'heard');
  });

  it('tells of each change of stage once, and of the way back', async () => {
    let now = 0;
    const stages: DeadManStage[] = [];
    const clock = { wallMilliseconds: () => 0, monotonicMilliseconds: () => now };
    const deadMan = watchBrain(clock, (stage) => stages.push(stage), 1);
    const passTo = async (milliseconds: number): Promise<void> => {
      now = milliseconds;
      await sleep(20);
    };
    await passTo(5000);
    await passTo(6000);
    await passTo(30_000);
    deadMan.hear();
    assert.deepEqual(stages, ['floored', 'given-up', 'heard']);
    assert.equal(deadMan.stage, 'heard');
    deadMan.stop();
  });
});
