import { originOf, quote, unsupportedModel } from '@foretoken/models/internal';
import type { TokenizerOf, WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import type { Architecture } from './architecture.js';
import { bart } from './bart/bart.js';
import { fillMask } from './fill-mask/fill-mask.js';
import { gpt2 } from './gpt2/gpt2.js';
import { llama } from './llama/llama.js';
import { marian } from './marian/marian.js';
import { marianBin } from './marian-bin/marian-bin.js';
import { maskedLanguageModel } from './masked-lm/masked-lm.js';
import { recurrent } from './recurrent/recurrent.js';
import { t5 } from './t5/t5.js';
import { whisper } from './whisper/whisper.js';

/** Every architecture there is, those for fewer models first; a new one is a folder beside these and a place in this list. */
const ARCHITECTURES: readonly Architecture[] = [
  llama,
  gpt2,
  marian,
  marianBin,
  bart,
  t5,
  whisper,
  maskedLanguageModel,
  fillMask,
  recurrent,
];

/** The architecture of a weights folder. Throws `UNSUPPORTED_MODEL` where none recognises it. */
export function architectureOf(folder: WeightsFolder): Architecture {
  const received = folder.config.model_type;
  const found = ARCHITECTURES.find(
    ({ kinds, recognises }) => kinds.some((kind) => kind === received) && recognises?.(folder) !== false,
  );
  if (found !== undefined) return found;
  const required = [...new Set(ARCHITECTURES.flatMap(({ kinds }) => kinds))];
  const { file, field } = originOf(folder, 'model_type');
  // Exports that are not improved run as they are.
  const remedy = folder.format === 'onnx' ? '' : ' Export it to ONNX with Optimum, and load that as it is.';
  throw unsupportedModel(
    `${folder.path}: ${file} has ${field} = ${quote(received)}, which is not supported; supported: ${required.join(', ')}.${remedy}`,
    { folder: folder.path, file, field, received, required },
  );
}

/** The file that says how texts become tokens, of models of a config; undefined for tokenizer.json. */
export const tokenizerOf: TokenizerOf = ({ model_type: received }) =>
  ARCHITECTURES.find(({ kinds }) => kinds.some((kind) => kind === received))?.tokenizerFile;
