import { ForetokenError, type Vocabulary } from '@foretoken/core';

/** Throws `INVALID_ARGUMENT` where the beam is larger than the vocabulary. */
export function assertBeamFits(beamSize: number, vocabulary: Vocabulary): void {
  if (beamSize <= vocabulary.size) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `beamSize is ${beamSize}, more than the ${vocabulary.size} tokens of the vocabulary. Choose a smaller beam.`,
    { option: 'beamSize', received: beamSize, max: vocabulary.size },
  );
}
