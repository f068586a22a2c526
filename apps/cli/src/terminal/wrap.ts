import { largest } from '@foretoken/core/kit';
import type { Io, Output } from '../io.js';

/** Columns to fit text into: those of a terminal, or of the variable COLUMNS; no limit for files and pipes. */
export function columnsOf(stream: Output, env: Io['env']): number {
  const given = Number(env.COLUMNS);
  const columns = stream.isTTY === true && stream.columns !== undefined ? stream.columns : given;
  return Number.isInteger(columns) && columns > 0 ? Math.max(20, columns) : Number.POSITIVE_INFINITY;
}

/** Lines of at most `width` characters, broken between words; a longer word has a line of its own. Later lines are indented. */
export function wrap(text: string, width: number, indent = ''): string[] {
  return wrapWords(text.split(' '), width, indent);
}

/** The same of words that may hold blanks. */
export function wrapWords(words: readonly string[], width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = lines.length === 0 && line === '' ? word : line === indent ? line + word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Names to the left, what they mean to the right; below the name where there is no room beside it, moved in by less where a long word
 * needs the room.
 */
export function definitions(rows: readonly (readonly [string, string])[], width: number): string[] {
  const left = largest(rows.map(([name]) => name.length));
  const beside = width - left - 2 >= 30;
  const longest = largest(rows.flatMap(([, meaning]) => meaning.split(' ').map((word) => word.length)));
  const indent = ' '.repeat(Math.max(1, Math.min(4, width - longest)));
  return rows.flatMap(([name, meaning]) => {
    if (!beside) {
      return [...wrap(name, width, '    '), ...wrap(meaning, width - indent.length).map((line) => indent + line)];
    }
    const [first, ...rest] = wrap(meaning, width - left - 2);
    return [`${name.padEnd(left)}  ${first}`, ...rest.map((line) => `${' '.repeat(left)}  ${line}`)];
  });
}
