import { assertScores, brokenPrediction, type CanvasProposal, joinTokens, noTokenLeft } from '@foretoken/core/kit';
import { type InitialOutput, UNKNOWN } from './refined-canvas.js';

/**
 * A canvas between edits: start token, output, end token, with natural-log probabilities where the model filled a position
 * in (else NaN); `[length]` each. The first `given` output tokens stay as they are. Never changed in place.
 */
export interface EditedCanvas {
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
  /** Position of each token before the latest edit, -1 for one that it inserted. */
  readonly origins: Int32Array;
  readonly given: number;
}

/** The canvas of an output, `[output + 2]`, with its log-probabilities where they are known. */
export function edited(
  { tokenIds: output, logProbs: known }: InitialOutput,
  given: number,
  startTokenId: number,
  endTokenId: number,
): EditedCanvas {
  const tokenIds = joinTokens([startTokenId], output, [endTokenId]);
  const logProbs = new Float32Array(tokenIds.length).fill(UNKNOWN);
  if (known !== undefined) logProbs.set(known, 1);
  return { tokenIds, logProbs, origins: tokenIds.map((_, position) => position), given };
}

/** What is output so far: the canvas without its boundaries. */
export function outputOf({ tokenIds, logProbs, origins }: EditedCanvas): Omit<EditedCanvas, 'given'> {
  return {
    tokenIds: tokenIds.subarray(1, -1),
    logProbs: logProbs.subarray(1, -1),
    origins: origins.subarray(1, -1).map((origin) => (origin < 0 ? -1 : origin - 1)),
  };
}

/** Whether there is a token that may be deleted. */
export function isDeletable({ tokenIds, given }: EditedCanvas): boolean {
  return tokenIds.length > given + 2;
}

/**
 * Drops every token that is deleted with a probability above `threshold`, but neither boundaries nor given tokens (Gu et al.,
 * 2019, section 3.2). Throws `RUNTIME_FAILURE` where the natural-log probabilities `[length]` do not fit, and `INVALID_SCORES`.
 */
export function deleteTokens(
  row: number,
  canvas: EditedCanvas,
  deletions: Float32Array,
  threshold: number,
): EditedCanvas {
  const { tokenIds, logProbs, given } = canvas;
  // As a float32, which the deletions are: else what equals the threshold would be above it or not by rounding.
  const min = Math.fround(Math.log(threshold));
  if (deletions.length !== tokenIds.length)
    throw brokenPrediction(row, `${deletions.length} deletions for ${tokenIds.length}`);
  for (const position of deletions.keys()) assertScores(deletions, row, position, position, position + 1);
  const stays = (_: number, position: number): boolean =>
    position <= given || position === tokenIds.length - 1 || !(deletions[position] > min);
  const origins = Int32Array.from(tokenIds.keys()).filter(stays);
  return { tokenIds: tokenIds.filter(stays), logProbs: logProbs.filter(stays), origins, given };
}

/**
 * Opens each gap by its number of placeholders `[length - 1]`, at most `perGap` of them and, from the left, no more than fit
 * into `maxLength` positions; gaps before and among given tokens stay closed. Throws `RUNTIME_FAILURE` for counts that are no
 * numbers of placeholders, and `INVALID_SCORES` for NaN and Infinity.
 */
export function insertPlaceholders(
  row: number,
  { tokenIds, logProbs, given }: EditedCanvas,
  counts: Int32Array,
  { placeholderTokenId, maxLength, perGap }: { placeholderTokenId: number; maxLength: number; perGap: number },
): EditedCanvas {
  if (counts.length !== tokenIds.length - 1)
    throw brokenPrediction(row, `${counts.length} gaps for ${tokenIds.length} tokens`);
  for (const [gap, count] of counts.entries()) {
    // A network's head may give NaN or Infinity as a float32.
    assertScores(counts, row, gap, gap, gap + 1);
    if (!Number.isInteger(count) || count < 0)
      throw brokenPrediction(row, `${count} placeholders after position ${gap}`);
  }
  let room = maxLength - tokenIds.length;
  const ids: number[] = [];
  const known: number[] = [];
  const origins: number[] = [];
  for (const [position, tokenId] of tokenIds.entries()) {
    ids.push(tokenId);
    known.push(logProbs[position]);
    origins.push(position);
    const opened = position < given ? 0 : Math.min(counts[position] ?? 0, perGap, room);
    room -= opened;
    for (let index = 0; index < opened; index++) {
      ids.push(placeholderTokenId);
      known.push(UNKNOWN);
      origins.push(-1);
    }
  }
  return {
    tokenIds: Int32Array.from(ids),
    logProbs: Float32Array.from(known),
    origins: Int32Array.from(origins),
    given,
  };
}

/** Puts the proposed tokens in place of the placeholders. Throws `UNSATISFIABLE_CONSTRAINT` where the proposal is a placeholder. */
export function fillPlaceholders(
  row: number,
  { tokenIds, logProbs, given }: EditedCanvas,
  proposal: CanvasProposal,
  placeholderTokenId: number,
): EditedCanvas {
  const isOpen = (position: number): boolean => tokenIds[position] === placeholderTokenId;
  const stuck = tokenIds.findIndex(
    (_, position) => isOpen(position) && proposal.tokenIds[position] === placeholderTokenId,
  );
  if (stuck >= 0) throw noTokenLeft(row, stuck);
  return {
    tokenIds: tokenIds.map((tokenId, position) => (isOpen(position) ? proposal.tokenIds[position] : tokenId)),
    logProbs: logProbs.map((logProb, position) => (isOpen(position) ? proposal.logProbs[position] : logProb)),
    origins: tokenIds.map((_, position) => position),
    given,
  };
}

/** Whether two canvases hold the same tokens. */
export function sameTokens(a: EditedCanvas, b: EditedCanvas): boolean {
  return a.tokenIds.length === b.tokenIds.length && a.tokenIds.every((tokenId, index) => tokenId === b.tokenIds[index]);
}
