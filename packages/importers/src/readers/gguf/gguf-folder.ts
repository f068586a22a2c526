import { Yielder } from '@foretoken/core/kit';
import type { FilePlace } from '@foretoken/models/internal';
import { toFloat32InPieces } from '../../tensors/to-float32.js';
import type { WeightsFolder } from '../hugging-face/weights-folder.js';
import { architectureOf, ggufConfig, ggufOrigins, ROPE_FACTORS } from './gguf-config.js';
import { GgufFields } from './gguf-fields.js';
import { refuseOtherTensors, renamedTensors } from './gguf-tensors.js';
import { ggufChat, ggufTokenizer } from './gguf-tokenizer.js';
import { type GgufFile, openGguf } from './open-gguf.js';
import { withTurnEnd } from './turn-end.js';

/** Most pairs of a head's numbers. */
const MAX_FACTORS = 2048;

/**
 * A GGUF file as a weights folder: its metadata as a config, its vocabulary as a tokenizer, its tensors by the names of transformers,
 * de-quantised to fp32 when they are read. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, the signal's reason.
 */
export async function openGgufFolder(place: FilePlace, signal?: AbortSignal): Promise<WeightsFolder> {
  const pace = new Yielder(signal);
  const file = await openGguf(place, pace);
  signal?.throwIfAborted();
  const fields = new GgufFields(file, place);
  const architecture = architectureOf(fields);
  const chat = ggufChat(fields);
  const settings = ggufConfig(fields, file, await ropeFactors(file, fields, pace));
  const config: Readonly<Record<string, unknown>> = {
    ...settings,
    eos_token_id: await withTurnEnd(settings.eos_token_id, fields, chat),
  };
  refuseOtherTensors(fields, file, architecture, settings.num_hidden_layers);
  const tokenizer = await ggufTokenizer(fields, settings.vocab_size, pace);
  const heads = { query: settings.num_attention_heads, key: settings.num_key_value_heads };
  const { tensors, fileNames } = renamedTensors(file, architecture, heads);
  return {
    path: place.folder,
    config,
    file: place.file,
    origins: ggufOrigins(fields),
    format: 'gguf',
    elementTypes: file.types,
    tensors,
    tokenizer,
    readChat: async () => chat,
    tensor: (name, shape) => {
      const tensor = tensors.get(name);
      if (tensor?.shape.length === shape.length && shape.every((size, index) => size === tensor.shape[index])) {
        return tensor;
      }
      const shown = fileNames.get(name) ?? name;
      return fields.refuse(`tensor ${JSON.stringify(shown)}`, tensor?.shape, `of the shape [${shape.join(', ')}]`);
    },
    integers: async (name) => fields.refuse(`tensor ${JSON.stringify(name)}`, undefined, 'a list of integers'),
  };
}

/** How much slower each pair of a head's numbers turns; undefined where the file does not say. */
async function ropeFactors(
  { tensors }: GgufFile,
  fields: GgufFields,
  pace: Yielder,
): Promise<readonly number[] | undefined> {
  const tensor = tensors.get(ROPE_FACTORS);
  if (tensor === undefined) return undefined;
  const { shape, dtype } = tensor;
  if (shape.length !== 1 || shape[0] > MAX_FACTORS) {
    return fields.refuse(`tensor "${ROPE_FACTORS}"`, shape, `a list of at most ${MAX_FACTORS} numbers`);
  }
  const factors = await toFloat32InPieces({ dtype, shape, data: await tensor.read(pace) }, pace);
  const wrong = factors.find((factor) => !(factor > 0 && factor < Number.POSITIVE_INFINITY));
  if (wrong !== undefined) return fields.refuse(`tensor "${ROPE_FACTORS}"`, String(wrong), 'positive finite numbers');
  return [...factors];
}
