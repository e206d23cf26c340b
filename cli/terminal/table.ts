/** Columns that line up. */
import { padTo, widthOf, type Line } from './style.ts';

const gapColumns = 2;

/** Lines of equal columns out of rows of cells, each as wide as its widest cell. */
export function table(rows: readonly (readonly Line[])[]): readonly Line[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? []))),
  );
  return rows.map((row) =>
    row.flatMap((cell, column) =>
      column === row.length - 1 ? cell : padTo(cell, (widths[column] ?? 0) + gapColumns),
    ),
  );
}
