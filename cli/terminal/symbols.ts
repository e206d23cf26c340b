import type { Style } from './style.ts';

const unicode = { bullet: '●', arrow: '→', mark: '›', rule: '─', separator: ' · ' };
const ascii: Readonly<typeof unicode> = {
  bullet: '*',
  arrow: '->',
  mark: '>',
  rule: '-',
  separator: ' - ',
};

/** The signs a terminal can show. */
export function symbolsFor(style: Style): Readonly<typeof unicode> {
  return style.unicode ? unicode : ascii;
}
