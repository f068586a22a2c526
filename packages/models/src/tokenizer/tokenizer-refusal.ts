import { ForetokenError } from '@foretoken/core';
import { IMPORT_WITH_TOKENIZER } from './import-with-tokenizer.js';

/** The error for a folder without a tokenizer; `advice` is what its family says to do. */
export function tokenizerRefusal(folder: string, advice?: string): ForetokenError {
  const what =
    advice === undefined
      ? `The manifest of ${folder} names no tokenizer, so its sources and outputs are token ids. ${IMPORT_WITH_TOKENIZER}`
      : `${folder} has no tokenizer that is read here, so its sources and outputs are token ids. ${advice}`;
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${what} For token ids, decode with a part, such as model.part('autoregressive'); loadModel takes a processor of your own too.`,
    { folder, capability: 'tokenizer', required: 'a folder with a tokenizer' },
  );
}
