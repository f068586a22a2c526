import { ForetokenError } from '../contract/errors.js';
import type { TokenSource } from '../contract/vocabulary.js';
import { wrongValue } from './checks.js';
import { checkOptions, entryOf, isInt32Array, lengthOf, number, type OptionTable } from './options.js';

/** What a model can read of a source. */
export interface TokenSourceLimits {
  /** Default: any id from 0. */
  readonly vocabularySize?: number | undefined;
  /** Tokens of a source (default at least 1, and as many as there are). */
  readonly min?: number | undefined;
  /** Most tokens of a source. */
  readonly max?: number | undefined;
}

const limit = number(0, Number.POSITIVE_INFINITY);
const LIMITS: OptionTable<TokenSourceLimits> = { vocabularySize: limit, min: limit, max: limit };

/**
 * What a model of token ids checks of its sources before any compute: each an Int32Array, also one of shared memory, of token
 * ids that it has. Nothing else is converted: rounding, or reading digits out of a string, would decode another text.
 *
 * Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE` for no sources or one of too few tokens, and `SOURCE_TOO_LONG`.
 */
export function assertTokenSources(
  sources: readonly unknown[],
  limits: TokenSourceLimits = {},
): asserts sources is readonly TokenSource[] {
  const {
    vocabularySize = Number.POSITIVE_INFINITY,
    min = 1,
    max = Number.POSITIVE_INFINITY,
  } = checkOptions('assertTokenSources', limits, LIMITS);
  if (lengthOf(sources) === undefined) throw wrongValue('sources', sources, 'an array of sources');
  if (sources.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'There are no sources; pass at least one.');
  for (let row = 0; row < sources.length; row++) {
    const source = entryOf('sources', sources, row);
    if (!isInt32Array(source)) {
      throw wrongValue(
        `Source ${row}`,
        source,
        'an Int32Array of token ids, such as encode(text) of a tokenizer gives',
      );
    }
    if (source.length < min) {
      throw new ForetokenError('EMPTY_SOURCE', `Source ${row} has no tokens; at least one is required.`, { row });
    }
    if (source.length > max) {
      throw new ForetokenError(
        'SOURCE_TOO_LONG',
        `Source ${row} has ${source.length} tokens, but this model reads at most ${max}. Split the text.`,
        { row, received: source.length, max },
      );
    }
    const wrong = source.find((tokenId) => tokenId < 0 || tokenId >= vocabularySize);
    if (wrong === undefined) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      Number.isFinite(vocabularySize)
        ? `Source ${row} holds token id ${wrong}, outside the vocabulary of ${vocabularySize}.`
        : `Source ${row} holds token id ${wrong}; ids are at least 0.`,
      { row, received: wrong, size: vocabularySize },
    );
  }
}
