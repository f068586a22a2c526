import type { ImportNote } from '@foretoken/models/internal';
import { readFolderText } from '../piece-files.js';
import { assertFixed, readTextOptions } from '../text-options.js';
import { readVocabularies } from '../vocabularies.js';
import { knowsDistances, readDistances } from './by-distance.js';
import type { SpecFiles, SpecModel } from './model-spec.js';
import { transformerConfig } from './transformer-config.js';
import { transformerTensors } from './transformer-tensors.js';

const SHORTLIST = 'vmap.txt';

/** An encoder-decoder, by whatever trained it. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readTransformer({ place, file, given, reader }: SpecFiles): Promise<SpecModel> {
  const options = readTextOptions(place.folder, given);
  // Of layer norms, and of those by the root of the mean square.
  assertFixed(place.folder, given, 'layer_norm_epsilon', knowsDistances(file) ? 1e-6 : 1e-5);
  const vocabularies = await readVocabularies(reader);
  const { config, origins, generationConfig, tensors } = knowsDistances(file)
    ? await readDistances(place, file, vocabularies, options)
    : await readPlaces(place, file, vocabularies, options);
  const { tokenizer, notes } = await readFolderText(reader, vocabularies, options);
  return {
    config,
    origins,
    generationConfig,
    tokenizer,
    notes: [...notes, ...((await reader.has(SHORTLIST)) ? [shortlistNote()] : [])],
    tensors,
  };
}

/** One whose tokens have places, as those of the BART family. */
async function readPlaces(
  ...[place, file, ...rest]: Parameters<typeof transformerConfig>
): ReturnType<typeof readDistances> {
  const { shape, ...configs } = await transformerConfig(place, file, ...rest);
  return { ...configs, tensors: async () => transformerTensors(place, file, shape) };
}

function shortlistNote(): ImportNote {
  return {
    file: SHORTLIST,
    field: 'vocabulary mapping',
    received: SHORTLIST,
    message: `${SHORTLIST} says which tokens may follow from a source, and is not used: every token is scored, as CTranslate2 does by default.`,
  };
}
