import { type CtcLattice, ForetokenError } from '@foretoken/core';

/**
 * Checks a CTC lattice and returns it.
 *
 * The blank may be an id of the vocabulary, which then is no token, or lie outside; a lattice of no frames says nothing.
 * Throws `INVALID_ARGUMENT` where sizes disagree, a score is `NaN` or `Infinity`, a token id lies outside the vocabulary or
 * comes twice in a frame, the blank is no id at all, or a frame rules everything out.
 */
export function readCtc(lattice: CtcLattice, vocabularySize: number, row: number): CtcLattice {
  assertShape(lattice, row);
  const { frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  const seenIn = new Int32Array(vocabularySize).fill(-1);
  for (let frame = 0; frame < frames; frame++) {
    let possible = assertScore(blankLogProbs[frame] as number, frame, row);
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      const tokenId = tokenIds[cell] as number;
      // Candidates that were ruled out may hold any id.
      if (!assertScore(logProbs[cell] as number, frame, row) || tokenId === blankId) continue;
      if (!(tokenId >= 0 && tokenId < vocabularySize)) {
        const message = `has token ${tokenId} in frame ${frame}; ids from 0 to ${vocabularySize - 1} are required.`;
        throw invalid(row, message, { frame, received: tokenId });
      }
      if (seenIn[tokenId] === frame) {
        throw invalid(row, `has token ${tokenId} twice in frame ${frame}; distinct candidates are required.`, {
          frame,
          received: tokenId,
        });
      }
      seenIn[tokenId] = frame;
      possible = true;
    }
    if (!possible) throw invalid(row, `rules out every label of frame ${frame}; at least one is required.`, { frame });
  }
  return lattice;
}

function assertShape(lattice: CtcLattice, row: number): void {
  const { kind, frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  if (kind !== 'ctc')
    throw invalid(row, `is a ${String(kind)} lattice; a ctc lattice is required.`, { received: kind });
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

/** Whether the label is possible. */
function assertScore(logProb: number, frame: number, row: number): boolean {
  if (logProb < Number.POSITIVE_INFINITY) return logProb !== Number.NEGATIVE_INFINITY;
  throw invalid(row, `has a score of ${logProb} in frame ${frame}; log-probabilities are required.`, { frame });
}

function invalid(row: number, what: string, details: Readonly<Record<string, unknown>>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `The lattice of row ${row} ${what}`, { row, ...details });
}
