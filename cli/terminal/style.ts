/** Text with tones, fitted to a width, painted last: views stay pure and colours never break a column. */
export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'warning' | 'bad' | 'accent';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Line = readonly Span[];

/** What the terminal at hand can show. */
export interface Style {
  readonly colour: boolean;
  readonly unicode: boolean;
  readonly columns: number;
  readonly rows: number;
}

const sgr: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  faint: '2',
  good: '32',
  warning: '33',
  bad: '31',
  accent: '36',
};

const narrowestColumns = 24;
const assumedColumns = 100;
const assumedRows = 40;

/** A piece of text in a tone. */
export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: printable(text), tone };
}

/** Names and messages of QEMU come from outside: no control character of theirs reaches a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

function charactersOf(text: string): readonly string[] {
  return Array.from(text);
}

/** Characters a line takes; everything shown here is one column wide. */
export function widthOf(line: Line): number {
  return line.reduce((width, { text }) => width + charactersOf(text).length, 0);
}

/** Adds blanks up to `columns`. */
export function padTo(line: Line, columns: number): Line {
  return [...line, span(' '.repeat(Math.max(0, columns - widthOf(line))))];
}

/** Cuts a line to the terminal's width, marking the cut, and applies tones where colour is allowed. */
export function paint(line: Line, style: Style): string {
  return cut(line, style)
    .map(({ text, tone }) =>
      style.colour && sgr[tone] !== '' && text !== ''
        ? `\u001b[${sgr[tone]}m${text}\u001b[0m`
        : text,
    )
    .join('')
    .trimEnd();
}

function cut(line: Line, style: Style): Line {
  if (widthOf(line) <= style.columns) return line;
  const mark = style.unicode ? '…' : '~';
  let room = style.columns - 1;
  const kept = line.map(({ text, tone }) => {
    const characters = charactersOf(text).slice(0, room);
    room -= characters.length;
    return span(characters.join(''), tone);
  });
  return [...kept, span(mark, 'faint')];
}

/** Breaks a sentence at blanks into pieces of at most `columns`. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (
      last !== undefined &&
      charactersOf(last).length + 1 + charactersOf(word).length <= columns
    ) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** Reads what a stream can show from itself and the environment (NO_COLOR, TERM, LC_ALL, LANG). */
export function styleFor(
  stream: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const locale = environment['LC_ALL'] ?? environment['LC_CTYPE'] ?? environment['LANG'] ?? '';
  return {
    colour:
      stream.isTTY === true &&
      (environment['NO_COLOR'] ?? '') === '' &&
      environment['TERM'] !== 'dumb',
    unicode: /utf-?8/i.test(locale),
    columns: Math.max(narrowestColumns, known(stream.columns) ?? assumedColumns),
    rows: known(stream.rows) ?? assumedRows,
  };
}

/** A terminal without a window, as `docker run -t` and CI have them, says 0. */
function known(size: number | undefined): number | undefined {
  return size === 0 ? undefined : size;
}
