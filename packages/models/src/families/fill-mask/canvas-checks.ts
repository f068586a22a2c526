import { type Canvas, ForetokenError } from '@foretoken/core';

/** Throws `INVALID_ARGUMENT` for no canvases, a row that there is not, or tokens outside the vocabulary. */
export function assertCanvases(canvases: readonly Canvas[], rows: number, size: number): void {
  if (canvases.length === 0) {
    throw new ForetokenError('INVALID_ARGUMENT', 'There are no canvases; at least one is required.', {});
  }
  for (const { row, tokenIds } of canvases) {
    if (!Number.isInteger(row) || row < 0 || row >= rows) {
      throw new ForetokenError('INVALID_ARGUMENT', `A canvas is of row ${row}, but there are ${rows} rows.`, {
        received: row,
        rows,
      });
    }
    const received = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= size);
    if (received === undefined) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `A canvas of row ${row} holds token id ${received}, outside the vocabulary of ${size}.`,
      { row, received, size },
    );
  }
}

/**
 * Throws `INVALID_ARGUMENT` for a canvas that is shorter than its text has masks, `LENGTH_LIMIT` where the filled text has more
 * positions than the model.
 */
export function assertText(row: number, length: number, masks: number, sourceLength: number, max: number): void {
  if (length < masks) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `A canvas of row ${row} has ${length} positions, but its text has ${masks} masks. Leave the length out, or give ${masks} or more.`,
      { option: 'length', row, received: length, min: masks },
    );
  }
  const filled = sourceLength - masks + length;
  if (filled <= max) return;
  throw new ForetokenError(
    'LENGTH_LIMIT',
    `The text of row ${row} has ${filled} positions where ${length} tokens fill it, but the model has ${max}.`,
    { row, received: filled, max },
  );
}
