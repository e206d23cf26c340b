/** The controls of a recording. */
import { formatMilliseconds } from '../../words/figures.ts';
import { element, setText } from './dom.ts';
import type { Moment } from './recording.ts';

export interface Bar {
  readonly root: HTMLElement;
  name(name: string, moments: number): void;
  show(index: number, moments: readonly Moment[]): void;
  showPlaying(isPlaying: boolean): void;
}

export interface BarOptions {
  readonly onPlay: () => void;
  /** To the one before (-1) or after (1). */
  readonly onDecision: (direction: 1 | -1) => void;
  readonly onSlide: (index: number) => void;
  readonly onClose: () => void;
}

/** A slider through the moments of a recording, with buttons beside it. */
export function createBar({ onPlay, onDecision, onSlide, onClose }: BarOptions): Bar {
  const play = createButton('Play', '▶', onPlay);
  const back = createButton('Previous decision', '⇤', () => {
    onDecision(-1);
  });
  const on = createButton('Next decision', '⇥', () => {
    onDecision(1);
  });
  const close = createButton('Close the recording', '✕', onClose);
  close.classList.add('close');
  const title = element('strong');
  const time = element('output');
  const slider = element('input', { type: 'range', min: '0', 'aria-label': 'Moment' });
  slider.addEventListener('input', () => {
    onSlide(Number(slider.value));
  });
  const parts = [title, back, play, on, slider, time, close];
  return {
    root: element('section', { class: 'player', 'aria-label': 'Recording' }, ...parts),
    name: (name, moments) => {
      setText(title, name);
      slider.max = String(moments - 1);
    },
    show: (index, moments) => {
      const at = formatMilliseconds(moments[index]?.atMilliseconds ?? 0);
      const end = formatMilliseconds(moments.at(-1)?.atMilliseconds ?? 0);
      slider.value = String(index);
      slider.setAttribute('aria-valuetext', at);
      setText(time, `${at} of ${end}`);
    },
    showPlaying: (isPlaying) => {
      setText(play, isPlaying ? '❚❚' : '▶');
      play.setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
    },
  };
}

function createButton(label: string, text: string, onClick: () => void): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'quiet', 'aria-label': label }, text);
  button.addEventListener('click', onClick);
  return button;
}
