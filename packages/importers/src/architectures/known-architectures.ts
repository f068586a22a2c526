import { quote, unsupportedModel } from '@foretoken/models/folder';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import type { Architecture } from './architecture.js';
import { gpt2 } from './gpt2/gpt2.js';
import { llama } from './llama/llama.js';
import { LLAMA_KINDS } from './llama/llama-shape.js';
import { marian } from './marian/marian.js';
import { maskedLanguageModel } from './masked-lm/masked-lm.js';
import { recurrent } from './recurrent/recurrent.js';

/** Every architecture there is; a new one is a folder beside these and a place in this list. */
const ARCHITECTURES: readonly Architecture[] = [maskedLanguageModel, recurrent, llama, gpt2, marian];

/** The architecture of a weights folder. Throws `UNSUPPORTED_MODEL` where none recognises it. */
export function architectureOf(folder: WeightsFolder): Architecture {
  const found = ARCHITECTURES.find(({ recognises }) => recognises(folder));
  if (found !== undefined) return found;
  const received = folder.config.model_type;
  const required = [...LLAMA_KINDS, 'gpt2', 'marian', 'foretoken-canvas', 'foretoken-recurrent'];
  throw unsupportedModel(
    `${folder.path}: config.json has model_type = ${quote(received)}, which is not supported; supported: ${required.join(', ')}.`,
    { folder: folder.path, file: 'config.json', field: 'model_type', received, required },
  );
}
