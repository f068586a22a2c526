import { type Drafter, ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import { anything, checkOptions, type OptionTable } from '@foretoken/core/kit';
import { copyDrafter } from '@foretoken/speculative';
import { type CorrectionModel, targetOf, tokenizerOf } from './model.js';
import { tidyText } from './tidy-text.js';

/** Options of `correctionDrafter`. */
export interface CorrectionDrafterOptions {
  /**
   * A CTC model of the same folder, whose text is copied in place of the input's: fewer forwards of the autoregressive model, and one of
   * the CTC model before them.
   */
  readonly from?: LatticeModel<TokenSource> | undefined;
}

const DRAFTER_OPTIONS: OptionTable<CorrectionDrafterOptions> = {
  // What is no CTC model is refused by `copyDrafter`.
  from: anything as OptionTable<CorrectionDrafterOptions>['from'],
};

/**
 * Drafts for corrections: the text itself, with a capital at the beginning and a full stop at the end, or what a CTC model makes of
 * it, as far as it was not changed (see `copyDrafter`).
 *
 * Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` for a lattice model of another kind.
 */
export function correctionDrafter(
  model: CorrectionModel,
  options: CorrectionDrafterOptions = {},
): Drafter<TokenSource> {
  const { from } = checkOptions('correctionDrafter', options, DRAFTER_OPTIONS);
  const target = targetOf(model);
  const tokenizer = tokenizerOf(model);
  return copyDrafter({
    vocabulary: target.vocabulary,
    tokenText: (tokenId) => tokenizer.tokenText(tokenId),
    from: from ?? ((source) => tidied(tokenizer, source)),
  });
}

/** The source itself where a tidied one has no room. */
function tidied(tokenizer: CorrectionModel['tokenizer'], source: TokenSource): TokenSource {
  const text = tokenizer.decode(source);
  const tidy = tidyText(text);
  if (tidy === text) return source;
  try {
    return tokenizer.encode(tidy);
  } catch (error) {
    if (ForetokenError.isInstance(error) && error.code === 'SOURCE_TOO_LONG') return source;
    throw error;
  }
}
