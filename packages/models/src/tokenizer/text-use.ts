import { type OptionReader, oneOf } from '@foretoken/core/kit';

/**
 * What a text is to be: a `source`, with what the tokenizer puts around texts, and the end token last; a `prompt`, with what the
 * tokenizer puts around texts and no more; a `part` of a text, its own tokens alone; an `output`, or a part of one, its own tokens as
 * outputs have them.
 */
export type TextUse = 'source' | 'prompt' | 'part' | 'output';

/** Reads it; throws `INVALID_ARGUMENT` for any other. */
export const textUse: OptionReader<TextUse> = oneOf('source', 'prompt', 'part', 'output');
