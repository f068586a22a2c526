import { largest } from '@foretoken/core/kit';

/**
 * Lays out rows as aligned columns: the first to the left, the others (numbers) to the right. The first row is the heading. Where
 * that is wider than `width`, each row becomes a few lines: its first cell, and below it each other cell beside its heading.
 */
export function table(rows: readonly (readonly string[])[], width: number = Number.POSITIVE_INFINITY): string[] {
  const widths = rows[0].map((_, column) => largest(rows.map((row) => row[column].length)));
  const wide = widths.reduce((sum, column) => sum + column, 0) + 2 * (widths.length - 1);
  if (wide > width) return records(rows);
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

function records([heading, ...rows]: readonly (readonly string[])[]): string[] {
  const names = heading.slice(1);
  const left = largest(names.map((name) => name.length));
  return rows.flatMap(([first, ...cells]) => [
    first,
    ...cells.map((cell, index) => `  ${names[index].padEnd(left)}  ${cell}`),
  ]);
}
