import type { TokenSource } from '@foretoken/core';

/** A text whose masks are filled: its tokens, and where those that fill it lie. */
export interface FilledText {
  readonly tokenIds: Int32Array;
  /** Position of each token of the filling. */
  readonly places: Int32Array;
}

/** How many masks a text has. */
export function countMasks(source: TokenSource, maskTokenId: number): number {
  return source.reduce((count, tokenId) => count + (tokenId === maskTokenId ? 1 : 0), 0);
}

/**
 * The text with a filling in the place of its masks, one token a mask; what there is more of follows at the last one, and masks for
 * which there is nothing stay.
 */
export function fillText(source: TokenSource, maskTokenId: number, filling: Int32Array): FilledText {
  const masks = countMasks(source, maskTokenId);
  const extra = Math.max(0, filling.length - masks);
  const tokenIds = new Int32Array(source.length + extra);
  const places = new Int32Array(filling.length);
  let at = 0;
  let seen = 0;
  let filled = 0;
  for (const tokenId of source) {
    if (tokenId !== maskTokenId || filled === filling.length) {
      tokenIds[at++] = tokenId;
      continue;
    }
    seen++;
    for (let here = seen === masks ? 1 + extra : 1; here > 0; here--) {
      places[filled] = at;
      tokenIds[at++] = filling[filled++];
    }
  }
  return { tokenIds, places };
}
