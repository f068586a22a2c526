import { basename } from 'node:path';
import { ForetokenError, NgramModel } from '@foretoken/core';
import { readSafetensors, toFloat32, type WeightTensor } from '../weights/safetensors.js';

/** Name of an n-gram model's file in a student's weights folder and in a model folder. */
export const NGRAMS_FILE = 'ngrams.safetensors';

/** Reads an n-gram model for a vocabulary. Throws `INVALID_MODEL_FOLDER` naming the file and tensor. */
export async function readNgrams(path: string, vocabularySize: number): Promise<NgramModel> {
  const file = basename(path);
  const tensors = await readSafetensors(path);
  const tensor = (name: string): WeightTensor => {
    const found = tensors.get(name);
    if (found !== undefined) return found;
    throw new ForetokenError('INVALID_MODEL_FOLDER', `${file} has no tensor ${name}. Make the n-gram model again.`, {
      file,
      field: name,
    });
  };
  const floats = (name: string): Float32Array => toFloat32(tensor(name));
  const ids = (name: string): Int32Array => {
    const { dtype, data } = tensor(name);
    if (dtype === 'I32') return new Int32Array(data.slice().buffer);
    throw new ForetokenError('INVALID_MODEL_FOLDER', `${file}: tensor ${name} is ${dtype}, but must be I32.`, {
      file,
      field: name,
      received: dtype,
      required: 'I32',
    });
  };
  const unigramProbability = floats('unigram.probability');
  if (unigramProbability.length !== vocabularySize) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${file} is for ${unigramProbability.length} tokens, but the vocabulary has ${vocabularySize}. Make it again.`,
      { file, field: 'unigram.probability', received: unigramProbability.length, required: vocabularySize },
    );
  }
  try {
    return new NgramModel({
      unigramProbability,
      unigramBackoff: floats('unigram.backoff'),
      bigramIds: ids('bigram.ids'),
      bigramProbability: floats('bigram.probability'),
      bigramBackoff: floats('bigram.backoff'),
      trigramIds: ids('trigram.ids'),
      trigramProbability: floats('trigram.probability'),
    });
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
