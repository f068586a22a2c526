import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import type { Architecture } from './architecture.js';
import { marian } from './marian/marian.js';
import { maskedLanguageModel } from './masked-lm/masked-lm.js';

/** Every architecture there is; a new one is a folder beside these and a place in this list. */
const ARCHITECTURES: readonly Architecture[] = [maskedLanguageModel, marian];

/** The architecture of a weights folder; for one that none recognises Marian, which says what it misses. */
export function architectureOf(folder: WeightsFolder): Architecture {
  return ARCHITECTURES.find(({ recognises }) => recognises(folder)) ?? marian;
}
