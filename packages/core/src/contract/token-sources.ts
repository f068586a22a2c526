import { wrongValue } from './checks.js';
import { ForetokenError } from './errors.js';
import { isInt32Array } from './options.js';
import type { TokenSource } from './vocabulary.js';

/**
 * What a model of token ids checks of its sources before any compute: each an Int32Array, also one of shared memory, of token
 * ids that it has. Nothing else is converted: rounding, or reading digits out of a string, would decode another text.
 *
 * Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE` for no sources or one of fewer than `min` tokens (default 1), and `SOURCE_TOO_LONG`
 * for more than `max` tokens.
 */
export function assertTokenSources(
  sources: readonly unknown[],
  vocabularySize: number,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): asserts sources is readonly TokenSource[] {
  if (sources.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'There are no sources; pass at least one.');
  for (const [row, source] of sources.entries()) {
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
        { row, received: source.length, most: max },
      );
    }
    const wrong = source.find((tokenId) => tokenId < 0 || tokenId >= vocabularySize);
    if (wrong === undefined) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `Source ${row} holds token id ${wrong}, outside the vocabulary of ${vocabularySize}.`,
      { row, received: wrong, size: vocabularySize },
    );
  }
}
