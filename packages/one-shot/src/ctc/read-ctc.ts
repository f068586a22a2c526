import { type CtcLattice, ForetokenError } from '@foretoken/core';
import { assertScores, noTokenLeft } from '@foretoken/core/kit';

/**
 * Checks a CTC lattice.
 *
 * The blank may be an id of the vocabulary, which then is no token, or lie outside; a lattice of no frames says nothing.
 * Throws `INVALID_SCORES` where a score is `NaN` or `Infinity`, `UNSATISFIABLE_CONSTRAINT` where a frame rules everything
 * out, and `INVALID_ARGUMENT` where sizes disagree, a token id lies outside the vocabulary or comes twice in a frame, or the
 * blank is no id at all.
 */
export function readCtc(lattice: CtcLattice, vocabularySize: number, row: number): void {
  assertShape(lattice, row);
  const { frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  const seen = new Set<number>();
  for (let frame = 0; frame < frames; frame++) {
    assertScores(blankLogProbs, row, frame, frame, frame + 1);
    assertScores(logProbs, row, frame, frame * k, (frame + 1) * k);
    let possible = blankLogProbs[frame] !== Number.NEGATIVE_INFINITY;
    seen.clear();
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      const tokenId = tokenIds[cell];
      // Candidates that were ruled out may hold any id.
      if (logProbs[cell] === Number.NEGATIVE_INFINITY || tokenId === blankId) continue;
      if (!(tokenId >= 0 && tokenId < vocabularySize)) {
        const message = `has token ${tokenId} in frame ${frame}; ids from 0 to ${vocabularySize - 1} are required.`;
        throw invalid(row, message, { frame, received: tokenId });
      }
      if (seen.has(tokenId)) {
        throw invalid(row, `has token ${tokenId} twice in frame ${frame}; distinct candidates are required.`, {
          frame,
          received: tokenId,
        });
      }
      seen.add(tokenId);
      possible = true;
    }
    if (!possible) throw noTokenLeft(row, frame);
  }
}

function assertShape(lattice: CtcLattice, row: number): void {
  const { frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  if (!Number.isInteger(blankId) || blankId < 0) {
    throw invalid(row, `has the blank id ${blankId}; an id of at least 0 is required.`, { received: blankId });
  }
  const cells = frames * k;
  const whole = Number.isInteger(frames) && frames >= 0 && Number.isInteger(k) && k >= 1;
  if (!whole || tokenIds.length !== cells || logProbs.length !== cells || blankLogProbs.length !== frames) {
    throw invalid(
      row,
      `has ${tokenIds.length} token ids, ${logProbs.length} scores and ${blankLogProbs.length} scores of the blank; ` +
        `${frames} frames of ${k} candidates require ${cells}, ${cells} and ${frames}.`,
      { frames, k },
    );
  }
}

function invalid(row: number, what: string, details: Readonly<Record<string, unknown>>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `The lattice of row ${row} ${what}`, { row, ...details });
}
