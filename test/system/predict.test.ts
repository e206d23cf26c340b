/** What `ferryman predict` says of guests on real QEMU, beside what then happens to them. */
import assert from 'node:assert/strict';
import type { MigrationPrediction } from '../../brain/core/prediction.ts';
import type { Pair } from '../rig/pair.ts';
import { build, createStage, guests, settingsOf, type Line } from './support.ts';

const stage = createStage();
const link = ['--link-bandwidth', '32MiB/s'] as const;
/** Predictions and runs share two busy cores with whatever else the machine does. */
const toleratedError = 0.4;

async function predict(pair: Pair, ...flags: readonly string[]): Promise<MigrationPrediction> {
  const asked = stage.ferryman('predict', '--json', '--source-qmp', pair.sourceQmp, ...flags);
  assert.equal(await asked.code, 0, asked.messages());
  const [line, ...more] = asked.lines;
  assert.equal(more.length, 0);
  assert.equal(line?.['type'], 'prediction');
  return line as unknown as MigrationPrediction;
}

const effectsOf = (lines: readonly Line[]) => lines.filter(({ type }) => type === 'effect');

describe('prediction before anything starts', function () {
  this.timeout(60_000);
  before(build);
  afterEach(() => stage.clear());

  it('names compression for text', async () => {
    const pair = await stage.pair(guests.text);
    const { chosen, guest } = await predict(pair, ...link);
    assert.match(chosen.family, /^(multifd-z(lib|std)|compress)$/);
    assert.ok((guest?.compressionRatio ?? 0) > 2);
  });

  it('names XBZRLE for sparse updates', async () => {
    const pair = await stage.pair(guests.sparse);
    const { chosen, families } = await predict(pair, ...link);
    assert.equal(chosen.family, 'xbzrle');
    const xbzrle = families.find(({ family }) => family === 'xbzrle');
    // No encoding shortens the first pass.
    assert.ok((xbzrle?.totalMilliseconds.low ?? 0) > 1000);
  });

  it('leaves every setting of the VM as it is, and the VM running', async () => {
    const pair = await stage.pair(guests.small);
    const before = await settingsOf(pair.sourceQmp);
    await predict(pair);
    assert.deepEqual(await settingsOf(pair.sourceQmp), before);
  });

  it('knows its ignorance of a link that nobody told it of', async () => {
    const pair = await stage.pair(guests.idle);
    const { link: believed, families } = await predict(pair);
    assert.notEqual(believed.provenance, 'configured');
    const plain = families.find(({ family }) => family === 'plain')?.totalMilliseconds;
    assert.ok(plain && plain.high > 2 * plain.low);
  });

  for (const name of ['idle', 'diverging'] as const) {
    it(`tells how long the ${name} guest takes, within ${toleratedError * 100} %`, async () => {
      const pair = await stage.pair(guests[name]);
      const { chosen, families } = await predict(pair, ...link);
      assert.equal(chosen.family, 'plain');
      const plain = families.find(({ family }) => family === chosen.family);
      assert.ok(plain?.finishes);
      const { code, result, lines } = await stage.migrate(pair, ...link);
      assert.equal(code, 0);
      const predicted = plain.totalMilliseconds.likely;
      const error = Math.abs(predicted / result.totalMilliseconds - 1);
      const told = `predicted ${predicted} ms, took ${result.totalMilliseconds} ms`;
      assert.ok(error <= toleratedError, told);
      if (name === 'idle') assert.equal(plain.throttlePercent.likely, 0);
      else assert.ok(plain.throttlePercent.likely > 0);
      assert.ok(effectsOf(lines).length > 0, 'the run says what came of its own predictions');
    });
  }

  it('ends with 3 when there is no VM, 2 when it is no source', async () => {
    const missing = stage.ferryman('predict', '--source-qmp', `${stage.folder()}/none.qmp`);
    assert.equal(await missing.code, 3);
    const pair = await stage.pair(guests.small);
    const waiting = stage.ferryman('predict', '--source-qmp', pair.destinationQmp);
    assert.equal(await waiting.code, 2);
    assert.match(waiting.messages(), /waits for a migration/);
  });
});
