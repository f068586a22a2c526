import type { LatticeModel, TokenSource } from '@foretoken/core';
import { randomLogits, scriptedLatticeModel } from '@foretoken/testkit';

/** End token 0, placeholder, mask and blank 8, start token 7. */
export const VOCABULARY = 9;
export const SOURCES: readonly TokenSource[] = [Int32Array.of(5, 2), Int32Array.of(3), Int32Array.of(6, 6, 1)];

/** A CTC model of random lattices, which say neither the end token nor the start token. */
export function latticeOf(seed: number, frames = 5): LatticeModel<TokenSource> {
  const logits = randomLogits({ seed, vocabularySize: VOCABULARY, endTokenId: -1 });
  return scriptedLatticeModel({
    vocabularySize: VOCABULARY,
    blankId: 8,
    frames: (source) =>
      Array.from({ length: frames }, (_, frame) =>
        Float32Array.from(logits(source, [frame])).map((score, tokenId) => (tokenId % 7 === 0 ? -Infinity : score)),
      ),
  });
}
