import type { Migration } from '../../brain/core/migration.ts';
import { formatBytes } from '../../brain/words/figures.ts';
import { guestBytesPerSecond } from '../../brain/words/progress.ts';
import { bar } from './bar.ts';
import { span, type Line, type Style, type Tone } from './style.ts';

const labelColumns = 11;
const figureColumns = 30;

interface Gauge {
  readonly label: string;
  readonly share: number;
  readonly figure: string;
  readonly tone: Tone;
}

/** This pass, what the guest writes against what the link takes, and how hard it is held back; nothing once settled. */
export function renderRates(migration: Migration, style: Style): readonly Line[] {
  if (migration.result !== undefined) return [];
  const width = Math.max(8, style.columns - labelColumns - figureColumns);
  return gaugesOf(migration).map(({ label, share, figure, tone }) => [
    span(label.padEnd(labelColumns), 'faint'),
    span(bar(share, width, style), tone),
    span(`  ${figure}`),
  ]);
}

function gaugesOf(migration: Migration): readonly Gauge[] {
  return [...passGauge(migration), ...rateGauges(migration), ...throttleGauge(migration)];
}

function passGauge({ last, openRound }: Migration): readonly Gauge[] {
  if (last?.ram === undefined || openRound === undefined) return [];
  const { remainingBytes } = last.ram;
  const share = 1 - remainingBytes / Math.max(1, openRound.startRemainingBytes);
  const figure = `${formatBytes(remainingBytes)} left`;
  return [{ label: `round ${String(openRound.number)}`, share, figure, tone: 'good' }];
}

/** Both on one scale, so that the longer bar says who wins. */
function rateGauges(migration: Migration): readonly Gauge[] {
  const ram = migration.last?.ram;
  if (ram === undefined) return [];
  const dirty = guestBytesPerSecond(migration) ?? 0;
  const link = migration.bandwidthBytesPerSecond ?? ram.bandwidthBytesPerSecond;
  const scale = Math.max(1, dirty, link);
  return [
    {
      label: 'dirty rate',
      share: dirty / scale,
      // Without a probe there is no figure before the end of the first pass.
      figure: dirty > 0 ? `${formatBytes(dirty)}/s` : 'not known yet',
      tone: dirty > link ? 'bad' : 'accent',
    },
    { label: 'link', share: link / scale, figure: `${formatBytes(link)}/s`, tone: 'accent' },
  ];
}

function throttleGauge({ last }: Migration): readonly Gauge[] {
  if (last === undefined) return [];
  // Auto-converge is armed at 1 %, which holds nobody back.
  const percent = last.throttlePercent > 1 ? last.throttlePercent : 0;
  const figure = percent === 0 ? 'none' : `${percent.toFixed(0)} %`;
  return [{ label: 'throttle', share: percent / 100, figure, tone: 'warning' }];
}
