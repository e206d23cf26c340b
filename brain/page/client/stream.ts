/** Frames from the brain, and word of whether they still come. */
import type { Frame } from '../view/view.ts';

export interface Stream {
  /** Asks for this migration in depth from now on. */
  open(id: string | undefined): void;
}

export interface StreamOptions {
  readonly onFrame: (frame: Frame) => void;
  /** Called when the line comes up or goes down. */
  readonly onLine: (isUp: boolean) => void;
}

/** The brain speaks every 2 s at least; after this much silence it is not believed to be there. */
const silenceMilliseconds = 6_000;

/** Connects on `open`, and again whenever the line breaks. */
export function createStream({ onFrame, onLine }: StreamOptions): Stream {
  let source: EventSource | undefined;
  let heardAt = performance.now();
  let isUp: boolean | undefined;
  let openId: string | undefined;

  const note = (next: boolean) => {
    if (next !== isUp) onLine(next);
    isUp = next;
  };
  const connect = () => {
    source?.close();
    const query = openId === undefined ? '' : `?open=${encodeURIComponent(openId)}`;
    source = new EventSource(`/frames${query}`);
    heardAt = performance.now();
    source.onmessage = ({ data }: MessageEvent<string>) => {
      heardAt = performance.now();
      note(true);
      onFrame(JSON.parse(data) as Frame);
    };
    source.onerror = () => {
      note(false);
    };
  };
  setInterval(() => {
    if (performance.now() - heardAt < silenceMilliseconds) return;
    note(false);
    connect();
  }, 1_000);
  return {
    open: (id) => {
      openId = id;
      connect();
    },
  };
}
