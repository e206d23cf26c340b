/** One migration in depth: how it stands, its charts, its decisions and its figures. */
import { formatBytes, formatMilliseconds } from '../../words/figures.ts';
import type { Detail, Point } from '../view/view.ts';
import { backlogColumns, rateColumns, secondsShown, throttleColumns } from './chart-data.ts';
import { createChart, type Chart } from './chart.ts';
import { createDecisions } from './decisions.ts';
import { element, setText } from './dom.ts';
import type { Marks } from './marks.ts';
import { backlogChart, rateChart, throttleChart } from './series.ts';
import { comparisonCards, roundsTable } from './tables.ts';
import { onThemeChange } from './theme.ts';

export interface Depth {
  show(detail: Detail, points: readonly Point[]): void;
  /** Says why there is nothing to see. */
  showNothing(why: string): void;
}

interface Shown {
  readonly detail: Detail;
  readonly points: readonly Point[];
}

/** Fills `root`; `onBack` is called by the button that a narrow screen has. */
export function createDepth(root: HTMLElement, onBack: () => void): Depth {
  const sheet = createSheet(onBack);
  const nothing = element('p', { class: 'nothing' });
  return {
    show: (detail, points) => {
      if (!sheet.root.isConnected) root.replaceChildren(sheet.root);
      sheet.show({ detail, points });
    },
    showNothing: (why) => {
      setText(nothing, why);
      if (!nothing.isConnected) root.replaceChildren(nothing);
    },
  };
}

interface Sheet {
  readonly root: HTMLElement;
  show(shown: Shown): void;
}

function createSheet(onBack: () => void): Sheet {
  const head = createHead(onBack);
  const figures = element('dl', { class: 'figures' });
  const rounds = createRounds();
  let shown: Shown | undefined;
  let chosen: number | undefined;

  const paint = () => {
    if (shown === undefined) return;
    const { detail, points } = shown;
    const told = detail.decisions.filter(({ isStep }) => !isStep || decisions.showsSteps());
    if (!told.some(({ number }) => number === chosen)) chosen = undefined;
    head.show(detail);
    figures.replaceChildren(...comparisonCards(detail.comparisons));
    decisions.show(told, chosen);
    rounds.box.replaceChildren(roundsTable(detail.rounds));
    paintCharts(charts, detail, points, { decisions: told, chosen });
  };
  const choose = (number: number | undefined) => {
    chosen = number;
    paint();
  };
  const decisions = createDecisions(choose, paint);
  const charts = [backlogChart, rateChart, throttleChart].map((kind) =>
    createChart(kind, (number) => {
      choose(number);
      decisions.focus(number);
    }),
  );
  onThemeChange(() => {
    for (const chart of charts) chart.repaint();
    paint();
  });
  const drawn = element('section', { class: 'card' }, ...charts.map((chart) => chart.root));
  const parts = [head.root, figures, drawn, decisions.root, rounds.root];
  return {
    root: element('article', { class: 'sheet' }, ...parts),
    show: (next) => {
      if (shown?.detail.row.id !== next.detail.row.id) chosen = undefined;
      shown = next;
      paint();
    },
  };
}

/** The table scrolls, so it must be reachable by keyboard. */
function createRounds() {
  const box = element('div', {
    class: 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Rounds',
  });
  return { root: element('section', { class: 'card' }, element('h3', {}, 'Rounds'), box), box };
}

function paintCharts(
  [backlog, rates, throttle]: readonly Chart[],
  detail: Detail,
  points: readonly Point[],
  marks: Marks,
): void {
  const seconds = secondsShown(detail, points);
  const { switchoverBytes } = detail;
  backlog?.show(backlogColumns(detail, points), seconds, { ...marks, switchoverBytes });
  rates?.show(rateColumns(points), seconds, marks);
  throttle?.show(throttleColumns(points), seconds, marks);
}

interface Head {
  readonly root: HTMLElement;
  show(detail: Detail): void;
}

function createHead(onBack: () => void): Head {
  const back = element('button', { type: 'button', class: 'back quiet' }, '← All migrations');
  back.addEventListener('click', onBack);
  const vm = element('h2');
  const word = element('span', { class: 'pill' });
  const because = element('span', { class: 'because' });
  const left = element('span', { class: 'left' });
  const way = element('p', { class: 'way' });
  const root = element(
    'header',
    { class: 'head-of-migration' },
    back,
    element('div', { class: 'title' }, vm, word),
    way,
    element('p', { class: 'verdict' }, because, left),
  );
  return {
    root,
    show: (detail) => {
      const { row } = detail;
      root.dataset['tone'] = row.verdict.tone;
      setText(vm, row.vm);
      setText(word, row.verdict.word);
      setText(because, row.verdict.because);
      setText(left, leftInWords(detail));
      setText(way, wayInWords(detail));
    },
  };
}

function leftInWords({ row, switchoverBytes }: Detail): string {
  if (row.isSettled) return '';
  return [
    ...(row.leftMilliseconds === undefined
      ? []
      : [`about ${formatMilliseconds(row.leftMilliseconds)} to go`]),
    ...(switchoverBytes === undefined
      ? []
      : [`switches over at ${formatBytes(switchoverBytes)} left`]),
  ].join(' · ');
}

function wayInWords({ row, policy, family, guest, beganAtMilliseconds }: Detail): string {
  return [
    `${row.from} → ${row.to}`,
    ...(guest === undefined ? [] : [guest]),
    ...(family === undefined ? [] : [family]),
    `policy ${policy}`,
    `begun ${new Date(beganAtMilliseconds).toLocaleTimeString()}`,
    row.id,
  ].join(' · ');
}
