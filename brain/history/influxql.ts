/**
 * The InfluxQL that InfluxDB 1, 2 and 3 all answer. One statement that selects or shows, from one
 * measurement; names in double quotes, so that every bare word is a word of the language.
 * Source: the language references of the three, and 3.x' list of what it lacks.
 */
import { FerrymanError } from '../../shared/errors.ts';

/** A query that one of the servers would not answer; says why. */
export class QueryError extends FerrymanError {
  constructor(statement: string, problem: string) {
    super('QUERY', `${problem}: ${statement}`);
  }
}

const functions = new Set([
  ...['mean', 'max', 'min', 'last', 'first', 'count', 'sum', 'percentile', 'spread', 'stddev'],
  ...['derivative', 'non_negative_derivative', 'difference', 'moving_average'],
  ...['time', 'fill', 'now'],
]);

const words = new Set([
  ...['select', 'from', 'where', 'and', 'or', 'group', 'by', 'order', 'time', 'asc', 'desc'],
  ...['limit', 'offset', 'as', 'null', 'none', 'previous', 'linear', 'true', 'false'],
  ...['show', 'tag', 'field', 'keys', 'values', 'measurements', 'with', 'key', 'in'],
]);

/** Strings, names, regular expressions after their operator, figures with units, words, signs. */
const token =
  /\s+|(?<string>'(?:[^'\\]|\\.)*')|(?<name>"(?:[^"\\]|\\.)*")|(?<regex>[=!]~\s*\/(?:[^/\\]|\\.)*\/)|(?<figure>\d+(?:\.\d+)?(?:ns|u|ms|[smhdw])?)|(?<call>[a-z_]\w*)(?=\s*\()|(?<word>[a-z_]\w*)|(?<sign><=|>=|!=|<>|[-+*/%=<>(),])/iy;

/** Words that a parenthesis may follow, which then look like a call. */
const beforeParenthesis = new Set(['in', 'and', 'or', 'where']);

const begins = /^\s*(select|show\s+(tag\s+keys|tag\s+values|field\s+keys|measurements))\b/i;
/** One measurement, by its name alone. */
const fromOne = /\bfrom\s+"[^"]+"(?!\s*[.,])/i;
const fromAny = /\bfrom\b/gi;
/** Words of the language that only one place knows. */
const misplaced: readonly (readonly [RegExp, string])[] = [
  [/\border\s+by\s+(?!time\b)/i, 'ORDER BY something else than time'],
  [/(?<!\bkey\s+)\bin\b/i, 'IN but for WITH KEY IN'],
  [/(?<!\bfill\s*\(\s*)\b(null|none|previous|linear)\b/i, 'what to fill with outside fill()'],
];

/** Throws QueryError for whatever is outside the common part. */
export function checkCommon(statement: string): void {
  const problem = problemOf(statement);
  if (problem !== undefined) throw new QueryError(statement, problem);
}

function problemOf(statement: string): string | undefined {
  if (!begins.test(statement)) return 'neither SELECT nor SHOW of tags, fields or measurements';
  token.lastIndex = 0;
  let bare = '';
  while (token.lastIndex < statement.length) {
    const at = token.lastIndex;
    const found = token.exec(statement);
    if (found === null) return `not common InfluxQL at ${statement.slice(at, at + 20)}`;
    const { string, ...groups } = found.groups ?? {};
    const foreign = foreignWord(groups);
    if (foreign !== undefined) return `not every server knows ${foreign}`;
    bare += string === undefined ? found[0] : "''";
  }
  return misplacedIn(bare) ?? sourceProblem(bare);
}

function misplacedIn(bare: string): string | undefined {
  const nameless = bare.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const found = misplaced.find(([place]) => place.test(nameless));
  return found && `no server knows ${found[1]}`;
}

function sourceProblem(bare: string): string | undefined {
  const sources = bare.match(fromAny)?.length ?? 0;
  const isOfOne = sources === 0 || (sources === 1 && fromOne.test(bare));
  return isOfOne ? undefined : 'not FROM one "measurement"';
}

function foreignWord({ call, word }: Readonly<Record<string, string | undefined>>) {
  if (call !== undefined && !has(functions, call) && !has(beforeParenthesis, call)) return call;
  return word !== undefined && !has(words, word) ? word : undefined;
}

function has(set: ReadonlySet<string>, word: string): boolean {
  return set.has(word.toLowerCase());
}

/** A text as a literal. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Unix milliseconds as a literal. */
export function moment(milliseconds: number): string {
  return quoted(new Date(milliseconds).toISOString());
}
