import { ForetokenError } from '@foretoken/core';
import type { Coding } from '../../processors/text-processor.js';

/** What a folder without a tokenizer has in its place: whatever is asked of it is refused by `UNSUPPORTED_CAPABILITY`. */
export function withoutText(): Coding {
  const refuse = (): never => {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      "The model has no tokenizer, so its sources and outputs are token ids: decode with model.part('autoregressive'). To read text, put the tokenizer of the original model beside its weights, and import them again.",
      { capability: 'tokenizer', required: 'a folder with a tokenizer' },
    );
  };
  return { encode: refuse, decode: refuse, countUnknown: refuse };
}
