import { type Span, spansOf } from './spans.js';

/** A word with a capital that does not begin a sentence: one space lies before it, and before that a word or a comma. */
const NAME = /(?<=[\p{L}\p{M}\p{N},;:)'’"”] ["'“‘(]?)\p{Lu}[\p{L}\p{M}\p{N}'’-]+/gu;

/** Words of a text that look like names. */
export function nameSpans(text: string): Span[] {
  return spansOf(text, NAME);
}
