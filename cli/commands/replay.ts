import { Command } from 'commander';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import { replayFile, type Mismatch, type Replay } from '../../brain/trace/replay.ts';
import { printCompared, printComparedJson } from '../comparison.ts';
import { explain } from '../../brain/words/explain.ts';
import { exitCodes, type ExitCode, type Finish } from '../exit.ts';
import { policyOption } from '../options.ts';
import type { Output } from '../reporters/reporter.ts';
import { decisionLine } from '../terminal/plain.ts';
import { styleFor } from '../terminal/style.ts';
import { renderSummary } from '../terminal/summary.ts';

interface ReplayFlags {
  readonly policy?: string;
  readonly compare?: string;
  readonly json?: boolean;
}

/** `ferryman replay`: runs a recorded migration through the core again. */
export function replayCommand(finish: Finish): Command {
  return new Command('replay')
    .description('decide a recorded migration again and compare (exit 4 when the decisions differ)')
    .argument('<trace>', 'a file written by `ferryman run --record`')
    .addOption(policyOption().default(undefined, 'the recorded one'))
    .addOption(
      policyOption('--compare <name>', 'a policy to show beside it').default(undefined, 'none'),
    )
    .option('--json', 'NDJSON on standard output')
    .action(async (path: string, { policy, compare, json }: ReplayFlags) => {
      const core = { reduce, start: startMigration };
      const replay = await replayFile(path, { ...core, policy });
      if (compare === undefined) {
        const print = json === true ? printJson : printLines;
        print(replay, process.stdout);
      } else {
        const other = await replayFile(path, { ...core, policy: compare });
        const print = json === true ? printComparedJson : printCompared;
        print([replay, other], process.stdout);
      }
      finish(replayExitCode(replay));
    });
}

/** Only a difference under the recorded policy is a failure. */
export function replayExitCode({ mismatch }: Replay): ExitCode {
  return mismatch === undefined ? exitCodes.ok : exitCodes.incomplete;
}

/** Every decision as a line of JSON, then one line with the comparison. */
export function printJson(replay: Replay, output: Output): void {
  const print = (line: object) => output.write(`${JSON.stringify(line)}\n`);
  for (const decision of replay.decisions) {
    print({ type: 'decision', ...decision, explanation: explain(decision) });
  }
  const { policy, recordedPolicy, mismatch, result } = replay;
  const compared = policy === recordedPolicy;
  print({
    type: 'replay',
    policy,
    recordedPolicy,
    decisions: replay.decisions.length,
    ...(compared && { equal: mismatch === undefined }),
    ...(mismatch && { mismatch }),
    ...(result && { result }),
  });
}

/** The same for people. */
export function printLines(replay: Replay, output: Output): void {
  const { migration, decisions } = replay;
  const start = migration.orderedAtMilliseconds ?? migration.nowMilliseconds;
  const lines = [
    ...decisions.map((decision) => decisionLine(decision, start)),
    ...renderSummary(migration, styleFor(output, process.env)),
    comparison(replay),
  ];
  for (const line of lines) output.write(`${line}\n`);
}

function comparison({ policy, recordedPolicy, decisions, mismatch }: Replay): string {
  if (mismatch !== undefined) return difference(mismatch);
  const count = `${String(decisions.length)} decision${decisions.length === 1 ? '' : 's'}`;
  return policy === recordedPolicy
    ? `${count}, equal to the recorded ones.`
    : `${count} under ${policy}; the record was made under ${recordedPolicy}.`;
}

function difference({ position, recorded, replayed }: Mismatch): string {
  return [
    `Decision ${String(position)} differs from the record.`,
    `  recorded: ${recorded === undefined ? 'none' : explain(recorded)}`,
    `  replayed: ${replayed === undefined ? 'none' : explain(replayed)}`,
  ].join('\n');
}
