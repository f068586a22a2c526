import { CONFIG, quote, unsupportedModel } from '@foretoken/models/internal';
import { idIn, readEndToken } from '../text-options.js';
import { assertSameIds, requireTokenizer } from '../tokenizer-json.js';
import { readOnlyVocabulary } from '../vocabularies.js';
import { assertComputed } from './decoder-flags.js';
import { readLayerNormDecoder } from './layer-norm-decoder.js';
import type { SpecFiles, SpecModel } from './model-spec.js';
import { readRotaryDecoder } from './rotary-decoder.js';
import { specVariables } from './spec-variables.js';
import { tableWidth } from './transformer-config.js';

/** What weights are quantised with, by the number that config.json gives it; the first is CTranslate2 itself. */
const QUANTISATIONS = ['none', 'AWQ (4 bits, GEMM)', 'AWQ (4 bits, GEMV)'];

/** A language model, by whatever trained it. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readDecoder(files: SpecFiles): Promise<SpecModel> {
  const { place, file, given, told, reader } = files;
  const { folder } = place;
  refuseQuantised(files);
  const vocabulary = await readOnlyVocabulary(reader);
  const tokenizer = await requireTokenizer(reader);
  assertSameIds(folder, tokenizer, vocabulary);
  const variables = specVariables(place, file);
  const width = tableWidth(variables, 'decoder/embeddings/weight', vocabulary);
  const scoring = tableWidth(variables, 'decoder/projection/weight', vocabulary);
  if (scoring !== width) variables.refuse('decoder/projection/weight', scoring, `of ${width} columns`);
  await assertComputed(file, variables, width);
  // Norms of the root of the mean square have no such part.
  const read = file.variables.has('decoder/layer_0/self_attention/layer_norm/beta')
    ? readLayerNormDecoder
    : readRotaryDecoder;
  const { config, tensors, ...rest } = await read(files, variables, width);
  const has = (value: unknown): boolean => value !== undefined && value !== null;
  // The end token that a config without one means is not asked for where the other file names some.
  const ends =
    !has(given.eos_token) && has(told?.eos_token_id)
      ? []
      : [idIn(folder, vocabulary, 'eos_token', readEndToken(folder, given))];
  return {
    config: { ...config, vocab_size: vocabulary.tokens.length },
    generationConfig: { eos_token_id: ends },
    tokenizer,
    ...rest,
    tensors: async () => tensors,
  };
}

/** Throws `UNSUPPORTED_MODEL` for weights that are not quantised as CTranslate2 does it. */
function refuseQuantised({ place: { folder }, given: { quantization_type: type } }: SpecFiles): void {
  if (type === undefined || type === null || type === 0) return;
  const name = typeof type === 'number' ? (QUANTISATIONS[type] ?? 'not known') : 'not known';
  throw unsupportedModel(
    `${CONFIG} in ${folder} has quantization_type = ${quote(type)}, which is ${name} and not supported; supported: null, 0. Import the weights before they were quantised.`,
    { folder, file: CONFIG, field: 'quantization_type', received: type, required: [null, 0] },
  );
}
