import assert from 'node:assert/strict';
import { openRecording } from '../../../../brain/page/client/recording.ts';
import { readGolden, replayGolden } from '../../../traces/golden.ts';

describe('page/client/recording', () => {
  const lines = readGolden('random-cgroup-10.0');

  it('ends as the replay does, and grows from moment to moment', () => {
    const recording = openRecording(lines.join('\n'));
    const end = recording.moments.length - 1;
    const { migration } = replayGolden(lines);
    const last = recording.at(end);
    assert.equal(last.detail.decisions.length, migration.decisions.length);
    assert.equal(last.detail.row.elapsedMilliseconds, migration.result?.totalMilliseconds);
    const middle = recording.at(Math.floor(end / 2));
    assert.ok(middle.points.length < last.points.length);
    assert.ok(middle.detail.rounds.length < last.detail.rounds.length);
    assert.equal(middle.detail.row.isSettled, false);
  });

  it('knows at which moments something was decided', () => {
    const { moments } = openRecording(lines.join('\n'));
    const decided = moments.filter(({ isDecision }) => isDecision);
    assert.ok(decided.length >= 5 && decided.length < moments.length);
  });

  it('says what is wrong with a file that is no trace', () => {
    assert.throws(() => openRecording('{"type":"input"}'), /line 1 is not the beginning/);
    assert.throws(() => openRecording('hello'), /line 1 is no JSON/);
    assert.throws(() => openRecording(lines[0] ?? ''), /nothing was recorded/);
    assert.throws(() => openRecording('{"type":"trace","format":99}'), /format 1/);
  });
});
