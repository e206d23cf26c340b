/**
 * Nothing of a migration is lost while NATS and InfluxDB come and go, nothing is there twice, and the
 * decisions are those of a replay: `checkHistory` counts. The long outages are `npm run bench -- outages`.
 */
import assert from 'node:assert/strict';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import { loseInflux, loseNats, slowGuest, squeezedGuest } from './outage-scenarios.ts';
import type { OutageReport } from './outage-scenarios.ts';
import { createStage, mebibyte } from './support.ts';

const stage = createStage();

/** Ten beacons missed, the order, and the sample that shows it. */
const floorWithinMilliseconds = 7_500;

function checkNats({ result, appliedMeanwhile, ...report }: OutageReport): void {
  assert.equal(result.outcome, 'completed', result.reason);
  assert.deepEqual(appliedMeanwhile, []);
  const { floorMilliseconds = Infinity, resumedMilliseconds = Infinity, history } = report;
  assert.ok(floorMilliseconds < floorWithinMilliseconds, `free after ${floorMilliseconds} ms`);
  assert.ok(resumedMilliseconds < 4_000, `commands again after ${resumedMilliseconds} ms`);
  assert.ok(history.samples > 50 && history.decisions > 5, JSON.stringify(history));
}

describe('an outage amid a migration', function () {
  before(function () {
    if (!isExecutable(tools().natsServer) || !isExecutable(tools().influxd)) this.skip();
  });
  afterEach(() => stage.clear());

  it('of InfluxDB changes no decision and leaves no gap', async () => {
    const quicker = { ...slowGuest, linkBytesPerSecond: 4 * mebibyte };
    const { result, history } = await loseInflux(stage, quicker, 6);
    assert.equal(result.outcome, 'completed', result.reason);
    assert.ok(history.samples > 50 && history.decisions > 5, JSON.stringify(history));
  });

  it('of NATS frees the guest, and control goes on where it was', async () => {
    checkNats(await loseNats(stage, squeezedGuest, 8));
  });

  it('of a NATS that freezes before it is killed does the same', async () => {
    checkNats(await loseNats(stage, squeezedGuest, 8, true));
  });
});
