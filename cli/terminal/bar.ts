import type { Style } from './style.ts';

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of exactly `width` characters; `share` outside 0 to 1 is clamped. */
export function bar(share: number, width: number, style: Style): string {
  const clamped = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  return style.unicode ? blocks(clamped, width) : hashes(clamped, width);
}

function blocks(share: number, width: number): string {
  const filled = Math.round(share * width * 8);
  const drawn = '█'.repeat(Math.floor(filled / 8)) + (eighths[filled % 8] ?? '');
  return drawn.padEnd(width, ' ');
}

function hashes(share: number, width: number): string {
  return '#'.repeat(Math.round(share * width)).padEnd(width, '.');
}
