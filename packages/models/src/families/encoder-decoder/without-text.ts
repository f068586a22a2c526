import { ForetokenError } from '@foretoken/core';
import type { Coding } from '../../processors/text-processor.js';
import { IMPORT_WITH_TOKENIZER } from '../../tokenizer/import-with-tokenizer.js';

/** What a folder without a tokenizer has in its place: whatever is asked of it is refused by `UNSUPPORTED_CAPABILITY`. */
export function withoutText(): Coding {
  const refuse = (): never => {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `The manifest of the folder names no tokenizer, so its sources and outputs are token ids: decode with model.part('autoregressive'). ${IMPORT_WITH_TOKENIZER}`,
      { capability: 'tokenizer', required: 'a folder with a tokenizer' },
    );
  };
  return { encode: refuse, decode: refuse, countUnknown: refuse };
}
