import assert from 'node:assert/strict';
import { CommanderError } from 'commander';
import { runCommand } from '../../../cli/commands/run.ts';
import { objectiveOf, throttleProblem, type RunFlags } from '../../../cli/run-options.ts';
import { defaultObjective } from '../../../shared/objective.ts';

const needed = [
  ...['--source-qmp', '/run/a.qmp', '--destination-qmp', '/run/b.qmp'],
  ...['--uri', 'tcp:192.0.2.7:4444'],
];

/** Reads the options without running anything. */
function read(...flags: readonly string[]): RunFlags {
  const command = runCommand(() => undefined)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined);
  return command.parse([...needed, ...flags], { from: 'user' }).opts();
}

describe('ferryman run, its options', () => {
  it('has the documented defaults', () => {
    const flags = read();
    assert.equal(flags.policy, 'adaptive');
    assert.deepEqual(objectiveOf(flags), defaultObjective);
  });

  it('serves the page at any free port of this machine, or where it is told to', () => {
    assert.equal(read().page, undefined);
    assert.deepEqual(read('--page').page, { host: '127.0.0.1', port: 0 });
    assert.deepEqual(read('--page', '[::1]:9473').page, { host: '::1', port: 9473 });
  });

  it('turns quantities into base units', () => {
    const objective = objectiveOf(
      read(
        ...['--downtime-limit', '50ms', '--max-throttle', '75%', '--deadline', '2m'],
        ...['--max-bandwidth', '32MiB/s', '--link-bandwidth', '1gbit', '--io-sensitive'],
        ...['--throttle', 'cgroup', '--post-copy', 'last-resort'],
      ),
    );
    assert.deepEqual(objective, {
      downtimeLimitMilliseconds: 50,
      maxThrottlePercent: 75,
      throttle: 'cgroup',
      ioSensitive: true,
      deadlineMilliseconds: 120_000,
      postCopy: 'last-resort',
      maxBandwidthBytesPerSecond: 32 * 1024 * 1024,
      linkBandwidthBytesPerSecond: 125_000_000,
    });
  });

  const refused: readonly (readonly [string, string])[] = [
    ['--downtime-limit', '5 parsecs'],
    ['--downtime-limit', '0ms'],
    ['--max-throttle', '100%'],
    ['--deadline', '10ms'],
    ['--max-bandwidth', '1'],
    ['--policy', 'hope'],
    ['--throttle', 'brakes'],
    ['--post-copy', 'always'],
    ['--uri', 'exec:nc'],
    ['--page', '0.0.0.0:80'],
    ['--bogus', ''],
  ];
  for (const [option, value] of refused) {
    it(`refuses ${option} ${value} and names it`, () => {
      assert.throws(
        () => read(option, value),
        (error) => error instanceof CommanderError && error.message.includes(option),
      );
    });
  }

  it('says when the asked-for throttle is not available', () => {
    const throttles = [{ mechanism: 'qemu', lag: 'next-sync', perVcpu: false }] as const;
    assert.match(throttleProblem({ throttle: 'cgroup' }, { throttles }) ?? '', /root.*auto/);
    assert.equal(throttleProblem({ throttle: 'qemu' }, { throttles }), undefined);
    assert.equal(throttleProblem({ throttle: 'auto' }, { throttles: [] }), undefined);
  });
});
