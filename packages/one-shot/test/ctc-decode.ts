import { type CtcLattice, collect, type DecodeRequest, type Hypothesis, type TokenSource } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';
import { type CtcPrefixBeamOptions, ctcPrefixBeam } from '@foretoken/one-shot';
import { latticesModel } from './ctc-oracle.js';

/** Wide enough that nothing is ever pruned. */
export const WIDE = 4096;
export const SOURCE = Int32Array.of(1);

export type Options = CtcPrefixBeamOptions<TokenSource>;

/** Hypotheses of one row with this lattice; no token ends an output, unless one is named. */
export async function decode(
  lattice: CtcLattice,
  size: number,
  options: Options = {},
  { endTokenId = -1, request = {} }: { endTokenId?: number; request?: Partial<DecodeRequest<TokenSource>> } = {},
): Promise<readonly Hypothesis[]> {
  const decoder = ctcPrefixBeam({ candidates: 1, ...options });
  const model = latticesModel([lattice], size, endTokenId);
  const { results } = await collect(decoder.decode(model, { sources: [SOURCE], ...request }));
  return results[0]?.hypotheses ?? [];
}

/** For all that there is. */
export const all = (options: Options = {}): Options => ({ beamSize: WIDE, hypotheses: WIDE, ...options });

/** Bonuses that depend on the whole history, by a hash. */
export const hashModel: LanguageModel<number> = {
  start: () => 7,
  score: (state, tokenId) => -((state * 31 + tokenId * 17) % 11) / 4,
  next: (state, tokenId) => (state * 31 + tokenId * 17) % 1009,
  end: (state) => -(state % 5) / 3,
};
