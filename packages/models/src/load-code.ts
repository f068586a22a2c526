import { ForetokenError } from '@foretoken/core';
import { reason } from './folder/refusal.js';

/**
 * Code that only some folders need: a chunk of its own, loaded when such a folder is. `what` it is for is said where that fails, as
 * when a page outlives the files it was made of. Throws `RUNTIME_FAILURE`.
 */
export async function loadCode<Code>(what: string, load: () => Promise<Code>): Promise<Code> {
  try {
    return await load();
  } catch (cause) {
    throw new ForetokenError(
      'RUNTIME_FAILURE',
      `The code for ${what} could not be loaded: ${reason(cause)}. Check the connection; if the program was updated meanwhile, load it anew.`,
      { capability: what },
      { cause },
    );
  }
}
