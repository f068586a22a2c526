import { ForetokenError } from '@foretoken/core';
import { text as readText } from '@foretoken/core/kit';

/**
 * Most characters a source may have for each token it may have, so that no text of any length is tokenised in vain.
 *
 * Four to five are usual; only long runs that become one token, of spaces or unknown characters, come near it.
 */
const CHARACTERS_PER_TOKEN = 32;

/** Refuses what is no text, is blank, or is too long to be tokenised. Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE`, `SOURCE_TOO_LONG`. */
export function assertSourceText(text: string, sourceLength: number): void {
  if (readText('A source text', text).trim() === '') throw emptySource(text);
  const max = sourceLength * CHARACTERS_PER_TOKEN;
  if (text.length > max) throw sourceTooLong(text.length, max, 'characters');
}

/** Refuses a source of too many tokens. Throws `SOURCE_TOO_LONG`. */
export function assertSourceTokens(count: number, sourceLength: number): void {
  if (count > sourceLength) throw sourceTooLong(count, sourceLength, 'tokens');
}

export function emptySource(text: string): ForetokenError {
  return new ForetokenError('EMPTY_SOURCE', 'The source text is empty or blank; it needs at least one token.', {
    option: 'text',
    received: text.slice(0, 80),
  });
}

/** `SOURCE_TOO_LONG` for a text that a tokenizer cannot take whole, whatever the model takes. */
export function tooMuchAtOnce(received: number, cause: unknown): ForetokenError {
  return new ForetokenError(
    'SOURCE_TOO_LONG',
    `The source text has ${received} characters, more than its tokenizer takes at once. Split it into shorter texts.`,
    { received, unit: 'characters' },
    { cause },
  );
}

function sourceTooLong(received: number, max: number, unit: 'tokens' | 'characters'): ForetokenError {
  return new ForetokenError(
    'SOURCE_TOO_LONG',
    `The source text has ${received} ${unit}, but this model takes at most ${max}. Split it into shorter texts.`,
    { received, max, unit },
  );
}
