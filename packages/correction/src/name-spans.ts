import { matchesIn, SpanIndex } from './spans.js';

/** A word with a capital that does not begin a sentence: one space lies before it, and before that a word or a comma. */
const NAME = /(?<=[\p{L}\p{M}\p{N},;:)'’"”] ["'“‘(]?)\p{Lu}[\p{L}\p{M}\p{N}'’-]{1,100}/gu;
/** Units of a name, whose characters may have two each. */
const REACH = 204;
/** Units of what must lie before it. */
const BACK = 4;

/** Words of a text that look like names; yields between parts of the text. */
export function* nameSpans(text: string): Generator<undefined, SpanIndex, undefined> {
  const found = new SpanIndex();
  for (const span of matchesIn(text, NAME, REACH, BACK)) {
    if (span !== undefined) found.add(span);
    yield;
  }
  return found;
}
