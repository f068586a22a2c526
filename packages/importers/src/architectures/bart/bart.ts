import { readLanguages } from '@foretoken/models/internal';
import { tensorReader } from '../../tensors/tensor-reader.js';
import type { Architecture } from '../architecture.js';
import { encoderDecoderContent } from '../encoder-decoder/encoder-decoder-content.js';
import { bartNetwork } from './bart-network.js';
import { BART_KINDS, readBartShape } from './bart-shape.js';

/** BART and what is built like it: mBART, M2M-100, NLLB, Pegasus, and the OPUS models of any config. */
export const bart: Architecture = {
  name: 'bart',
  kinds: BART_KINDS,
  build: async (folder, options, pace) => {
    const shape = readBartShape(folder);
    const { path, tokenizer } = folder;
    const { vocabularySize, sourceVocabularySize, positions } = shape;
    return encoderDecoderContent(folder, options, pace, {
      vocabularySize,
      sourceVocabularySize,
      limits: { sourceLength: positions, targetLength: positions },
      network: (suppressed, precision) => bartNetwork(folder, shape, tensorReader(folder), suppressed, precision),
      languages: shape.multilingual
        ? async (beginning) =>
            readLanguages(
              { path, tokenizer, tokenizerConfig: await folder.readTokenizerConfig?.() },
              vocabularySize,
              beginning,
            )
        : undefined,
    });
  },
};
