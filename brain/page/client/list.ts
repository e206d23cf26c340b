/** The list of migrations: only the lines in sight exist, so 500 cost as much as a screenful. */
import { formatBytes, formatMilliseconds } from '../../words/figures.ts';
import type { Row } from '../view/view.ts';
import { element, setText } from './dom.ts';

/** As in the style sheet. */
const lineHeight = 68;
/** Lines beyond the edge, so that scrolling shows no gap. */
const beyond = 4;

export interface List {
  show(rows: readonly Row[], openId: string | undefined): void;
}

export interface ListOptions {
  readonly box: HTMLElement;
  readonly sizer: HTMLElement;
  readonly onOpen: (id: string) => void;
}

/** Makes the box a list box: arrows, Page Up and Down, Home and End move through it. */
export function createList({ box, sizer, onOpen }: ListOptions): List {
  let rows: readonly Row[] = [];
  let openId: string | undefined;
  const lines: Line[] = [];
  const empty = element('p', { class: 'empty' });
  box.before(empty);

  let sight: Sight = { top: 0, height: 0 };
  const paint = () => {
    const first = Math.max(0, Math.floor(sight.top / lineHeight) - beyond);
    const count = Math.ceil(sight.height / lineHeight) + 2 * beyond;
    while (lines.length < count) lines.push(createLine(sizer));
    lines.forEach((line, offset) => {
      const index = first + offset;
      line.show(offset < count ? rows[index] : undefined, index, rows.length, openId);
    });
    sizer.style.height = `${rows.length * lineHeight}px`;
    const open = lines.find((line) => line.id() === openId);
    if (open && openId !== undefined) box.setAttribute('aria-activedescendant', open.root.id);
    else box.removeAttribute('aria-activedescendant');
  };
  watchSight(box, (next) => {
    sight = next;
    paint();
  });
  const move = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row === undefined) return;
    reveal(box, rows.indexOf(row));
    onOpen(row.id);
  };
  box.addEventListener('click', ({ target: clicked }) => {
    const id = lines.find(({ root }) => clicked instanceof Node && root.contains(clicked))?.id();
    if (id !== undefined) onOpen(id);
  });
  box.addEventListener('keydown', (event) => {
    const at = rows.findIndex(({ id }) => id === openId);
    const to = target(event.key, at, rows.length, Math.floor(sight.height / lineHeight));
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  });
  return {
    show: (newRows, newOpenId) => {
      [rows, openId] = [newRows, newOpenId];
      setText(empty, rows.length === 0 ? 'No migration to show.' : '');
      paint();
    },
  };
}

interface Sight {
  readonly top: number;
  readonly height: number;
}

/** What of the box is in sight, now and whenever that changes: asking while painting costs a layout. */
function watchSight(box: HTMLElement, onChange: (sight: Sight) => void): void {
  const look = () => {
    onChange({ top: box.scrollTop, height: box.clientHeight });
  };
  box.addEventListener('scroll', look, { passive: true });
  new ResizeObserver(look).observe(box);
}

function target(key: string, at: number, count: number, page: number): number | undefined {
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: count - 1,
    Enter: at,
  };
  return targets[key];
}

function reveal(box: HTMLElement, index: number): void {
  const top = index * lineHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  const bottom = top + lineHeight - box.clientHeight;
  if (bottom > box.scrollTop) box.scrollTop = bottom;
}

interface Line {
  readonly root: HTMLElement;
  id(): string | undefined;
  show(row: Row | undefined, index: number, count: number, openId: string | undefined): void;
}

let made = 0;

function createLine(parent: HTMLElement): Line {
  const [vm, word, way, amounts] = ['vm', 'word', 'way', 'amounts'].map((name) =>
    element('span', { class: name }),
  ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  const done = element('span', { class: 'done' });
  const bar = element('span', { class: 'bar' }, done);
  made += 1;
  const root = element(
    'div',
    { class: 'row', role: 'option', id: `row-${made}` },
    ...[vm, word, way, amounts, bar],
  );
  let shown: string | undefined;
  return {
    root,
    id: () => shown,
    show: (row, index, count, openId) => {
      shown = row?.id;
      if (row === undefined) {
        root.remove();
        return;
      }
      if (!root.isConnected) parent.append(root);
      root.style.transform = `translateY(${index * lineHeight}px)`;
      root.dataset['tone'] = row.verdict.tone;
      root.setAttribute('aria-selected', String(row.id === openId));
      root.setAttribute('aria-posinset', String(index + 1));
      root.setAttribute('aria-setsize', String(count));
      setText(vm, row.vm);
      setText(word, wordOf(row));
      setText(way, `${row.from} → ${row.to}`);
      setText(amounts, amountsOf(row));
      done.style.transform = `scaleX(${row.doneShare.toFixed(3)})`;
    },
  };
}

function wordOf({ verdict, throttlePercent }: Row): string {
  const throttle = throttlePercent > 0 ? `held ${throttlePercent.toFixed(0)} % · ` : '';
  return throttle + verdict.word;
}

function amountsOf(row: Row): string {
  const elapsed = formatMilliseconds(row.elapsedMilliseconds);
  if (row.remainingBytes === undefined) return elapsed;
  return `${formatBytes(row.remainingBytes)} left · ${elapsed}`;
}
