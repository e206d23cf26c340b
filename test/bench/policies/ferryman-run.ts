/** One migration by the built command, read off the trace that it records. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseTrace, type Trace } from '../../../brain/trace/trace.ts';
import { tools } from '../../../scripts/tools.mjs';
import type { Pair } from '../../rig/pair.ts';
import type { Reading, Run } from './run.ts';

/** What a run needs beside the pair. */
export interface RunContext {
  readonly linkBytesPerSecond: number;
  readonly deadlineSeconds: number;
  readonly downtimeLimitMilliseconds: number;
  /** Called once, when the first `migrate` is under way. */
  onStart(): void;
}

export interface FerrymanContext extends RunContext {
  /** The bundle. */
  readonly ferryman: string;
  readonly policy: string;
  /** Where the trace is written; what lay there is removed. */
  readonly tracePath: string;
  /** Further options of the command; none unless given. */
  readonly options?: readonly string[];
  onProcess(pid: number | undefined): void;
}

/** Throws with what the command said when nothing got under way. */
export async function runFerryman(pair: Pair, context: FerrymanContext): Promise<Run> {
  const { tracePath } = context;
  rmSync(tracePath, { force: true });
  const messages = await runCommand(pair, context);
  if (!existsSync(tracePath)) throw new Error(`ferryman did not begin: ${messages.trim()}`);
  return runOf(parseTrace(readFileSync(tracePath, 'utf8').split('\n')), messages);
}

async function runCommand(pair: Pair, context: FerrymanContext): Promise<string> {
  const { ferryman, policy, tracePath, deadlineSeconds, downtimeLimitMilliseconds } = context;
  const words = [
    ...['run', '--json', '--record', tracePath, '--policy', policy, '--uri', pair.uri],
    ...['--source-qmp', pair.sourceQmp, '--destination-qmp', pair.destinationQmp],
    ...['--destination-command', pair.destinationCommand],
    ...['--deadline', `${deadlineSeconds}s`, '--downtime-limit', `${downtimeLimitMilliseconds}ms`],
    ...(context.options ?? []),
    ...(pair.isShaped ? [] : ['--max-bandwidth', String(context.linkBytesPerSecond)]),
  ];
  const child = spawn(process.execPath, [ferryman, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Beside the bundle there may be nothing.
    env: { FERRYMAN_NATS_SERVER: tools().natsServer, ...process.env },
  });
  context.onProcess(child.pid);
  const ended = new Promise((resolve) => child.once('close', resolve));
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
  let isStarted = false;
  for await (const line of createInterface(child.stdout)) {
    if (isStarted || !line.includes('"kind":"migrate"')) continue;
    isStarted = true;
    context.onStart();
  }
  await ended;
  return messages;
}

/** What a trace says of its run. */
export function runOf({ inputs, decisions, result }: Trace, messages: string): Run {
  const start = decisions.find(({ operation }) => operation.kind === 'migrate')?.atMilliseconds;
  if (result === undefined || start === undefined) {
    throw new Error(`the migration did not get under way: ${messages.trim()}`);
  }
  const readings = inputs.flatMap((input): Reading[] => {
    if (input.kind !== 'sample' || input.side !== 'source') return [];
    const { ram, throttlePercent, status } = input.sample;
    if (ram === undefined || status !== 'active') return [];
    const { remainingBytes, dirtySyncCount } = ram;
    return [
      { atMilliseconds: input.atMilliseconds, remainingBytes, dirtySyncCount, throttlePercent },
    ];
  });
  const { policy: _, rounds: _rounds, preparationMilliseconds: _preparation, ...figures } = result;
  return { ...figures, startMilliseconds: start, readings };
}
