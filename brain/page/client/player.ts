/** Moves through a recording: by a slider, from decision to decision, or at the pace of its time. */
import { createBar } from './player-bar.ts';
import type { Recording } from './recording.ts';

export interface Player {
  readonly root: HTMLElement;
  /** Stands at the end, where the whole story is seen. */
  open(name: string, recording: Recording): void;
  close(): void;
}

/** Recordings play at the pace at which they happened. */
const tickMilliseconds = 100;

export interface PlayerOptions {
  /** Shows the moment with this index. */
  readonly onMoment: (recording: Recording, index: number) => void;
  readonly onClose: () => void;
}

/** The bar is put into the page by the caller; it is empty of sense before `open`. */
export function createPlayer({ onMoment, onClose }: PlayerOptions): Player {
  const reel = createReel((recording, index) => {
    bar.show(index, recording.moments);
    onMoment(recording, index);
  });
  const motion = createMotion(reel.advance, (isPlaying) => {
    bar.showPlaying(isPlaying);
  });
  const close = () => {
    motion.stop();
    reel.put(undefined);
  };
  const bar = createBar({
    onPlay: () => {
      if (!motion.isPlaying() && reel.isAtEnd()) reel.go(0);
      motion.toggle();
    },
    onDecision: (direction) => {
      motion.stop();
      reel.goToDecision(direction);
    },
    onSlide: (to) => {
      motion.stop();
      reel.go(to);
    },
    onClose: () => {
      close();
      onClose();
    },
  });
  return {
    root: bar.root,
    open: (name, recording) => {
      motion.stop();
      bar.name(name, recording.moments.length);
      reel.put(recording);
      reel.go(Infinity);
    },
    close,
  };
}

interface Reel {
  put(recording: Recording | undefined): void;
  go(index: number): void;
  goToDecision(direction: 1 | -1): void;
  /** One tick further; false at the end. */
  readonly advance: () => boolean;
  isAtEnd(): boolean;
}

/** A recording and the moment that is looked at. */
function createReel(onMoment: PlayerOptions['onMoment']): Reel {
  let recording: Recording | undefined;
  let index = 0;
  const moments = () => recording?.moments ?? [];
  const isAtEnd = () => index >= moments().length - 1;
  const go = (to: number) => {
    if (recording === undefined) return;
    index = Math.min(moments().length - 1, Math.max(0, to));
    onMoment(recording, index);
  };
  return {
    put: (next) => {
      recording = next;
    },
    go,
    isAtEnd,
    goToDecision: (direction) => {
      let to = index + direction;
      while (moments()[to]?.isDecision === false) to += direction;
      go(to);
    },
    advance: () => {
      const now = (moments()[index]?.atMilliseconds ?? 0) + tickMilliseconds;
      const next = moments().findLastIndex(({ atMilliseconds }) => atMilliseconds <= now);
      go(Math.max(index + 1, next));
      return !isAtEnd();
    },
  };
}

interface Motion {
  isPlaying(): boolean;
  toggle(): void;
  stop(): void;
}

/** Calls `step` at a steady pace until it says that it was the last. */
function createMotion(step: () => boolean, onChange: (isPlaying: boolean) => void): Motion {
  let timer: number | undefined;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    onChange(false);
  };
  return {
    stop,
    isPlaying: () => timer !== undefined,
    toggle: () => {
      if (timer !== undefined) {
        stop();
        return;
      }
      onChange(true);
      timer = setInterval(() => {
        if (!step()) stop();
      }, tickMilliseconds);
    },
  };
}
