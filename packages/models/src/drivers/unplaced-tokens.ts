import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';

/** The place of a token that has none: the row before the first of a table of positions, or a last one of zeros. */
const NO_PLACE = -1;

/**
 * Positions int32 `[rows, new]` of tokens of outputs: the same, but none for the token `unplaced`. What comes after it has the position
 * that it would have after any other token.
 */
export function placedInOutput(
  { Tensor }: OnnxRuntime,
  tokenIds: Tensor,
  positions: Tensor,
  unplaced: number | undefined,
): Tensor {
  const tokens = tokenIds.data as Int32Array;
  if (unplaced === undefined || !tokens.includes(unplaced)) return positions;
  const places = (positions.data as Int32Array).map((place, cell) => (tokens[cell] === unplaced ? NO_PLACE : place));
  return new Tensor('int32', places, positions.dims);
}

/** Positions int32 `[rows, time]` of tokens of sources: how many stand before each, `unplaced` ones left out; none for those. */
export function placedInSource(
  { Tensor }: OnnxRuntime,
  tokenIds: Tensor,
  positions: Tensor,
  unplaced: number | undefined,
): Tensor {
  const tokens = tokenIds.data as Int32Array;
  if (unplaced === undefined || !tokens.includes(unplaced)) return positions;
  const [, time] = positions.dims;
  let before = 0;
  const places = tokens.map((tokenId, cell) => {
    if (cell % time === 0) before = 0;
    return tokenId === unplaced ? NO_PLACE : before++;
  });
  return new Tensor('int32', places, positions.dims);
}
