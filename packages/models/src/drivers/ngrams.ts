import { ForetokenError, type Vocabulary } from '@foretoken/core';
import { NgramModel } from '@foretoken/language-models';
import type { FilePlace } from '../io/collect-pieces.js';
import { SideFile } from './side-file.js';

/** Name of an n-gram model's file in a student's weights folder and in a model folder. */
export const NGRAMS_FILE = 'ngrams.safetensors';

/** Reads an n-gram model for a vocabulary from its file's content. Throws `INVALID_MODEL_FOLDER` naming the file and tensor. */
export function readNgrams(
  bytes: Uint8Array,
  place: FilePlace,
  vocabulary: Pick<Vocabulary, 'size' | 'endTokenId'>,
): NgramModel {
  const side = new SideFile(bytes, place, 'n-gram model');
  const { file } = place;
  const unigramProbability = side.floats('unigram.probability');
  if (unigramProbability.length !== vocabulary.size) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${file} is for ${unigramProbability.length} tokens, but the vocabulary has ${vocabulary.size}. Make it again.`,
      { file, field: 'unigram.probability', received: unigramProbability.length, required: vocabulary.size },
    );
  }
  try {
    const tables = {
      unigramProbability,
      unigramBackoff: side.floats('unigram.backoff'),
      bigramIds: side.integers('bigram.ids').values,
      bigramProbability: side.floats('bigram.probability'),
      bigramBackoff: side.floats('bigram.backoff'),
      trigramIds: side.integers('trigram.ids').values,
      trigramProbability: side.floats('trigram.probability'),
    };
    return new NgramModel(tables, vocabulary);
  } catch (cause) {
    if (!ForetokenError.isInstance(cause) || cause.code !== 'INVALID_ARGUMENT') throw cause;
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${file}: ${cause.message}`,
      { file, ...cause.details },
      { cause },
    );
  }
}
