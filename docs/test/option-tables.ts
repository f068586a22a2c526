import { readFileSync } from 'node:fs';
import { ROOT } from './source-files.js';

/** A row of a README's table of options. */
export interface OptionRow {
  readonly option: string;
  readonly range: string;
  /** What the table calls the default. */
  readonly default: string;
  /** The functions that take it. */
  readonly factories: readonly string[];
}

/** Rows of the tables of a package's README whose first column is `option of` some functions. */
export function optionRows(plugin: string): readonly OptionRow[] {
  const rows: OptionRow[] = [];
  let factories: readonly string[] = [];
  for (const line of readFileSync(`${ROOT}packages/${plugin}/README.md`, 'utf8').split('\n')) {
    const [, first, range, told] = line.split('|').map((cell) => cell.trim());
    if (first?.startsWith('option of ')) factories = [...first.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    else if (first === undefined) factories = [];
    else if (!first.startsWith('-') && factories.length > 0) {
      rows.push({ option: first.replaceAll('`', ''), range, default: told, factories });
    }
  }
  return rows;
}
