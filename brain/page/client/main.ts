/** The page: frames of the brain in, or a recording; list and depth out. The address says what is open. */
import type { Detail, Frame, Point, Standby } from '../view/view.ts';
import { createDepth } from './depth.ts';
import { byId, setText } from './dom.ts';
import { onFile } from './file.ts';
import { createFleet } from './fleet.ts';
import { createList } from './list.ts';
import { createPlayer } from './player.ts';
import { openRecording } from './recording.ts';
import { createStream } from './stream.ts';

const body = byId('body', HTMLElement);
const search = byId('search', HTMLInputElement);
const line = byId('line', HTMLElement);
const box = byId('list', HTMLElement);
const fleet = createFleet();
let open: { id?: string | undefined; detail?: Detail | undefined; points: Point[] } = {
  points: [],
};
let isRecording = false;
let standby: Standby | undefined;

const depth = createDepth(byId('depth', HTMLElement), () => {
  if (location.hash === '') openMigration(undefined);
  else location.hash = '';
  box.focus();
});
const list = createList({
  box,
  sizer: byId('sizer', HTMLElement),
  onOpen: (id) => {
    location.hash = new URLSearchParams({ open: id }).toString();
  },
});
const player = createPlayer({
  onMoment: (recording, index) => {
    const { detail, points } = recording.at(index);
    depth.show(detail, points);
  },
  onClose: () => {
    showRecording(false);
    paintDepth();
  },
});

function take(frame: Frame): void {
  const startedAt = performance.now();
  fleet.take(frame);
  takeStandby(frame.standby);
  const { detail, points } = frame;
  if (points) open.points = [...open.points.slice(0, points.from), ...points.points];
  if (detail) open.detail = detail;
  if (frame.rows ?? frame.gone) paintList();
  if (detail && !isRecording) paintDepth();
  requestAnimationFrame(() => {
    setTimeout(noteShown, 0, startedAt);
  });
}

/** A brain that does not lead hears of nothing new: whoever looks must know. */
function takeStandby(next: Standby | undefined): void {
  if (JSON.stringify(next) === JSON.stringify(standby)) return;
  standby = next;
  paintLine(true);
  if (!isRecording) paintDepth();
}

function paintLine(isUp: boolean): void {
  const { classList } = document.documentElement;
  classList.toggle('silent', !isUp);
  classList.toggle('standby', isUp && standby !== undefined);
  const live = standby ? `stands by; ${leaderOf(standby)} leads` : 'live';
  setText(line, isUp ? live : 'the brain does not answer; trying again');
}

const leaderOf = ({ leader = 'another brain' }: Standby) => leader;

/** How long it took until a frame stood on the screen, for who observes the browser's timeline. */
function noteShown(startedAt: number): void {
  performance.measure('frame shown', { start: startedAt });
  performance.clearMeasures('frame shown');
}

function paintList(): void {
  const rows = fleet.matching(search.value);
  const tally = fleet.tally().map(([word, count]) => `${count} ${word}`);
  setText(byId('tally', HTMLElement), tally.length === 0 ? 'no migrations yet' : tally.join(' · '));
  // Who opens the page to look sees something at once; a phone shows the list first.
  const first = rows[0];
  const isWide = matchMedia('(min-width: 56rem)').matches;
  if (open.id === undefined && first && isWide && !isRecording) openMigration(first.id);
  list.show(rows, open.id);
}

function paintDepth(): void {
  if (open.detail) depth.show(open.detail, open.points);
  else if (standby)
    depth.showNothing(`This brain stands by: see the page of ${leaderOf(standby)}.`);
  else depth.showNothing('Migrations appear here as soon as they begin.');
}

function openMigration(id: string | undefined): void {
  open = { id, points: [] };
  if (id !== undefined) body.dataset['view'] = 'depth';
  else delete body.dataset['view'];
  stream.open(id);
}

function showRecording(is: boolean): void {
  isRecording = is;
  if (is) byId('depth', HTMLElement).before(player.root);
  else player.root.remove();
  body.classList.toggle('recording', is);
  if (is) body.dataset['view'] = 'depth';
  else if (open.id === undefined) delete body.dataset['view'];
}

function idInAddress(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get('open') ?? undefined;
}

const stream = createStream({
  onFrame: take,
  onLine: paintLine,
});

addEventListener('hashchange', () => {
  if (isRecording) {
    player.close();
    showRecording(false);
  }
  openMigration(idInAddress());
  list.show(fleet.matching(search.value), open.id);
  if (open.id === undefined) paintDepth();
});
search.addEventListener('input', paintList);
search.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') search.value = '';
  if (key === 'Escape' || key === 'ArrowDown') box.focus();
  paintList();
});
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  search.focus();
});
onFile(byId('open-file', HTMLElement), byId('file', HTMLInputElement), {
  onText: (name, text) => {
    const recording = openRecording(text);
    showRecording(true);
    player.open(name, recording);
  },
  onError: (message) => {
    setText(line, message);
  },
});
paintList();
paintDepth();
openMigration(idInAddress());
