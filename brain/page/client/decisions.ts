/** The decisions with their reasons, the newest first; the chosen one is marked in the charts too. */
import { formatMilliseconds } from '../../words/figures.ts';
import type { DecisionView } from '../view/view.ts';
import { element } from './dom.ts';

export interface Decisions {
  readonly root: HTMLElement;
  show(decisions: readonly DecisionView[], chosen: number | undefined): void;
  /** Brings the decision into sight, its button focused. */
  focus(number: number): void;
  /** Whether the plan's steps, which go without saying, are listed too. */
  showsSteps(): boolean;
}

/** `onChange` is called when the list itself changed: a decision chosen, or steps shown. */
export function createDecisions(
  onChoose: (number: number | undefined) => void,
  onChange: () => void,
): Decisions {
  const { root, list, none, steps } = createSection();
  let shown = '';
  let current: number | undefined;
  const focus = (number: number) => {
    list.querySelector<HTMLButtonElement>(`button[data-number="${number}"]`)?.focus();
  };
  /** A list that is made anew keeps the focus where it was. */
  const replace = (decisions: readonly DecisionView[]) => {
    const { activeElement } = document;
    const isFocused = activeElement instanceof HTMLElement && list.contains(activeElement);
    const focused = isFocused ? Number(activeElement.dataset['number']) : undefined;
    list.replaceChildren(...[...decisions].reverse().map(itemOf));
    if (focused !== undefined) focus(focused);
  };
  steps.addEventListener('change', onChange);
  list.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    const number = Number(button?.dataset['number'] ?? NaN);
    if (!Number.isNaN(number)) onChoose(number === current ? undefined : number);
  });
  return {
    root,
    focus,
    showsSteps: () => steps.checked,
    show: (decisions, chosen) => {
      const next = JSON.stringify(decisions);
      if (next !== shown) replace(decisions);
      [shown, current] = [next, chosen];
      none.hidden = decisions.length > 0;
      for (const button of list.querySelectorAll('button')) {
        button.setAttribute('aria-pressed', String(button.dataset['number'] === String(chosen)));
      }
    },
  };
}

function createSection() {
  const list = element('ol', { class: 'decisions', reversed: '' });
  const none = element('p', { class: 'hint' }, 'Nothing had to be decided yet.');
  const steps = element('input', { type: 'checkbox' });
  const check = element('label', { class: 'check' }, steps, 'every step');
  const head = element('div', { class: 'head' }, element('h3', {}, 'Decisions'), check);
  return { root: element('section', { class: 'card' }, head, none, list), list, none, steps };
}

/** A refused or failed decision says so; one that was applied goes without saying. */
const outcomes: Readonly<Record<DecisionView['outcome'], string | undefined>> = {
  applied: undefined,
  open: 'on its way',
  refused: 'refused',
  failed: 'failed',
  indeterminate: 'no answer',
};

function itemOf(decision: DecisionView): HTMLElement {
  const { number, atMilliseconds, sentence, outcome, reason, effect, isStep } = decision;
  const told = outcomes[outcome];
  const what = told && [told, ...(reason === undefined ? [] : [reason])].join(': ');
  const button = element(
    'button',
    { type: 'button', 'data-number': String(number), class: isStep ? 'step' : '' },
    element('span', { class: 'number' }, String(number)),
    element('time', {}, formatMilliseconds(atMilliseconds)),
    element('span', { class: 'sentence' }, sentence),
    effect === undefined ? undefined : element('span', { class: 'effect' }, effect),
    what === undefined ? undefined : element('span', { class: 'outcome' }, what),
  );
  return element('li', {}, button);
}
