import { effectsOf, type Effect } from '../../brain/core/effect.ts';
import type { Input } from '../../brain/core/input.ts';
import { explain, explainNote } from '../../brain/words/explain.ts';
import type { Output, Reporter } from './reporter.ts';

/**
 * One JSON object a line on `output`, measured effects and then the result last: a contract that
 * scripts rely on.
 * What is said between goes to `messages` (stderr), so that the lines stay clean.
 */
export function createNdjsonReporter(output: Output, messages: Output): Reporter {
  const print = (type: string, body: object) => {
    output.write(`${JSON.stringify({ type, ...body })}\n`);
  };
  return {
    onInput: (_, input) => {
      if (input.kind === 'sample') print('sample', sampleBody(input));
    },
    onRound: (_, round) => {
      print('round', round);
    },
    onDecision: (_, decision) => {
      print('decision', { ...decision, explanation: explain(decision) });
    },
    onNote: (_, note) => {
      print('note', { ...note, explanation: explainNote(note) });
    },
    onSettled: (migration, result) => {
      for (const effect of effectsOf(migration)) print('effect', effectBody(effect));
      print('result', result);
    },
    say: (message) => messages.write(`ferryman: ${message}\n`),
    close: () => undefined,
  };
}

const sampleBody = ({ atMilliseconds, side, sample }: Extract<Input, { kind: 'sample' }>) => ({
  atMilliseconds,
  side,
  ...sample,
});

/** The decision by its number: its own line came before. */
const effectBody = ({ decision, predicted, measured }: Effect) => ({
  decision: decision.number,
  side: decision.side,
  method: decision.method,
  rule: decision.rule,
  predicted,
  measured,
});
