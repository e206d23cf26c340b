import assert from 'node:assert/strict';
import { CommanderError } from 'commander';
import { predictCommand, printJson, printTable } from '../../../cli/commands/predict.ts';
import { ExitError, exitCodes } from '../../../cli/exit.ts';
import { predictStandalone, type PredictFlags } from '../../../cli/predict.ts';
import { objectiveOf } from '../../../cli/run-options.ts';
import type { MigrationPrediction } from '../../../brain/core/prediction.ts';
import { silentLog } from '../../../shared/log.ts';
import { defaultObjective } from '../../../shared/objective.ts';

const mebibyte = 2 ** 20;
const exactly = (likely: number) => ({ likely, low: likely, high: likely });

const plain: MigrationPrediction['families'][number] = {
  family: 'plain',
  finishes: false,
  finishingShare: 0,
  totalMilliseconds: exactly(600_000),
  downtimeMilliseconds: exactly(0),
  transferredBytes: exactly(0),
  ratio: exactly(1),
  firstPassMilliseconds: 0,
  guestWorkLostSeconds: exactly(0),
  throttlePercent: exactly(0),
  cost: 1200,
};

const prediction: MigrationPrediction = {
  vm: 'redis-7',
  policy: 'adaptive',
  link: {
    provenance: 'configured',
    bytesPerSecond: 32 * mebibyte,
    lowBytesPerSecond: 28 * mebibyte,
    highBytesPerSecond: 34 * mebibyte,
  },
  guest: {
    ramBytes: 128 * mebibyte,
    zeroShare: 0.25,
    workingSetBytes: 80 * mebibyte,
    dirtyBytesPerSecond: 41 * mebibyte,
    xbzrleDeltaShare: 0.02,
  },
  families: [
    {
      ...plain,
      family: 'xbzrle',
      finishes: true,
      finishingShare: 0.75,
      totalMilliseconds: { likely: 3100, low: 2900, high: 3400 },
      downtimeMilliseconds: exactly(120),
    },
    plain,
  ],
  chosen: { family: 'xbzrle', rule: 'least-predicted-cost', evidence: { workingSetBytes: 1 } },
};

function printed(print: typeof printJson, shown = prediction): string {
  const written: string[] = [];
  print(shown, { columns: 110, write: (text) => written.push(text) });
  return written.join('');
}

function read(...flags: readonly string[]): PredictFlags {
  const command = predictCommand(() => undefined)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined);
  return command.parse(['--source-qmp', '/run/a.qmp', ...flags], { from: 'user' }).opts();
}

describe('ferryman predict', () => {
  it('takes what a run takes of the objective, with the same defaults', () => {
    assert.deepEqual(objectiveOf(read()), defaultObjective);
    const objective = objectiveOf(read('--link-bandwidth', '32MiB/s', '--max-throttle', '50%'));
    assert.equal(objective.linkBandwidthBytesPerSecond, 32 * mebibyte);
    assert.equal(objective.maxThrottlePercent, 50);
    assert.throws(() => read('--link-bandwidth', 'fast'), CommanderError);
    assert.throws(() => read('--uri', 'tcp:h:1'), CommanderError);
  });

  it('ends with 3, naming the source, when its monitor does not answer', async () => {
    const flags = read();
    await assert.rejects(
      predictStandalone({ ...flags, sourceQmp: '/nonexistent/a.qmp' }, silentLog, () => undefined),
      (error) =>
        error instanceof ExitError &&
        error.exitCode === exitCodes.unreachable &&
        error.message.includes('source'),
    );
  });

  it('prints one JSON object', () => {
    const text = printed(printJson);
    assert.equal(text.indexOf('\n'), text.length - 1);
    const line = JSON.parse(text) as MigrationPrediction & { readonly type: string };
    assert.equal(line.type, 'prediction');
    assert.deepEqual(line.families, prediction.families);
    assert.equal(line.chosen.family, 'xbzrle');
    assert.match(text, /"explanation":"the least predicted cost/);
  });

  it('tells the guest, the link with its provenance, and the choice', () => {
    const text = printed(printTable);
    assert.match(text, /^redis-7\nguest: 128\.0 MiB of memory, 25 % empty, writes 41\.0 MiB\/s/);
    assert.match(text, /link: 32\.0 MiB\/s, configured \(28\.0 to 34\.0 MiB\/s\)/);
    assert.match(text, /adaptive would choose xbzrle: the least predicted cost/);
  });

  it('gives each family its figures and their range, and never to one that does not end', () => {
    const lines = printed(printTable).split('\n');
    const row = lines.findIndex((line) => /^\W +xbzrle/.test(line));
    assert.match(lines[row] ?? '', /xbzrle +likely, 75 % +3\.1 s +120 ms/);
    assert.match(lines[row + 1] ?? '', /^ +2\.9 to 3\.4 s$/);
    assert.match(lines[row + 2] ?? '', /plain +hardly, 0 % +never$/);
  });

  it('tells one by one what comes of the speeds that an unknown link may have', () => {
    const overLinks = [
      { bytesPerSecond: 12.5e6, family: 'xbzrle', finishes: false, totalMilliseconds: 600_000 },
      { bytesPerSecond: 125e6, family: 'plain', finishes: true, totalMilliseconds: 1200 },
    ] as const;
    const text = printed(printTable, { ...prediction, overLinks }).replaceAll('\n', ' ');
    assert.match(text, /no end over 11\.9 MiB\/s \(xbzrle\), 1\.2 s over 119\.2 MiB\/s \(plain\)/);
    assert.doesNotMatch(printed(printTable), /by what the link gives/);
  });

  it('says so when the guest was not probed', () => {
    const { guest: _, ...unprobed } = prediction;
    const text = printed(printTable, { ...unprobed, unprobedBecause: 'no right to' });
    assert.match(text, /not probed \(no right to\)/);
  });
});
