import type { FieldOrigin, FilePlace } from '@foretoken/models/internal';
import type { ModelBin } from '../open-model-bin.js';
import { readTokenIds } from '../text-options.js';
import type { SpecModel } from './model-spec.js';
import { originsOfSides, specVariables } from './spec-variables.js';

/** What CTranslate2 calls the activation of Whisper, GELU. */
const GELU = 3;
const POSITIONS = 'position_encodings/encodings';
const ORIGINS: Readonly<Record<string, FieldOrigin>> = {
  ...originsOfSides({ layers: 'layer_*', attention_heads: 'num_heads', ffn_dim: 'layer_0/ffn/linear_0/weight' }),
  vocab_size: { field: 'decoder/embeddings/weight' },
  d_model: { field: 'decoder/embeddings/weight' },
  num_mel_bins: { field: 'encoder/conv1/weight' },
  max_source_positions: { field: `encoder/${POSITIONS}` },
  max_target_positions: { field: `decoder/${POSITIONS}` },
};

/**
 * What config.json and generation_config.json of transformers would say of a model: sizes from the variables' shapes, tokens that are
 * never output from the folder's own config. Throws `INVALID_MODEL_FOLDER`.
 */
export async function whisperConfig(
  place: FilePlace,
  file: ModelBin,
  given: Readonly<Record<string, unknown>>,
): Promise<Pick<SpecModel, 'config' | 'origins' | 'generationConfig'>> {
  const { find, scalar, layersOf, refuse } = specVariables(place, file);
  const flag = async (name: string, wanted: number): Promise<void> => {
    if (!file.variables.has(name)) return;
    const value = await scalar(name);
    if (value !== wanted) refuse(name, value, String(wanted));
  };
  await flag('decoder/activation', GELU);
  await flag('decoder/pre_norm', 1);
  await flag('decoder/scale_embeddings', 0);
  await flag('decoder/alibi', 0);
  await flag('decoder/start_from_zero_embedding', 0);
  const [vocabulary, width] = find('decoder/embeddings/weight', 2).shape;
  const projection = file.variables.get('decoder/projection/weight');
  if (projection !== undefined && projection !== file.variables.get('decoder/embeddings/weight')) {
    refuse('decoder/projection/weight', 'a matrix of its own', 'an alias of decoder/embeddings/weight');
  }
  const config = {
    model_type: 'whisper',
    vocab_size: vocabulary,
    d_model: width,
    num_mel_bins: find('encoder/conv1/weight', 3).shape[1],
    encoder_layers: layersOf('encoder'),
    decoder_layers: layersOf('decoder'),
    encoder_attention_heads: await scalar('encoder/num_heads'),
    decoder_attention_heads: await scalar('decoder/num_heads'),
    encoder_ffn_dim: find('encoder/layer_0/ffn/linear_0/weight', 2).shape[0],
    decoder_ffn_dim: find('decoder/layer_0/ffn/linear_0/weight', 2).shape[0],
    max_source_positions: find('encoder/position_encodings/encodings', 2).shape[0],
    max_target_positions: find('decoder/position_encodings/encodings', 2).shape[0],
    activation_function: 'gelu',
  };
  const generationConfig = {
    suppress_tokens: readTokenIds(place.folder, given, 'suppress_ids', vocabulary),
    begin_suppress_tokens: readTokenIds(place.folder, given, 'suppress_ids_begin', vocabulary),
  };
  return { config, origins: ORIGINS, generationConfig };
}
