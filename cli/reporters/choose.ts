import { styleFor } from '../terminal/style.ts';
import { createLiveReporter } from './live.ts';
import { createNdjsonReporter } from './ndjson.ts';
import { createPlainReporter } from './plain.ts';
import type { Output, Reporter } from './reporter.ts';

/** Fewer rows than this cannot hold the live view without scrolling it. */
const fewestRows = 16;

interface Surroundings {
  readonly json: boolean;
  readonly output: Output;
  readonly messages: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** NDJSON when asked for, the live view on a terminal that can be redrawn, else plain lines. */
export function chooseReporter({ json, output, messages, environment }: Surroundings): Reporter {
  if (json) return createNdjsonReporter(output, messages);
  const styleNow = () => styleFor(output, environment);
  const redrawable =
    output.isTTY === true && environment['TERM'] !== 'dumb' && (output.rows ?? 0) >= fewestRows;
  return redrawable
    ? createLiveReporter(output, styleNow)
    : createPlainReporter(output, styleNow());
}
