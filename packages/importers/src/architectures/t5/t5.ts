import { tensorReader } from '../../tensors/tensor-reader.js';
import type { Architecture } from '../architecture.js';
import { encoderDecoderContent } from '../encoder-decoder/encoder-decoder-content.js';
import { t5Network } from './t5-network.js';
import { readT5Shape, T5_KINDS } from './t5-shape.js';

/** Distances are no end of positions; a text that is longer than this is more likely a mistake. */
const POSITIONS = 4096;

/** T5 and what is built like it: mT5, FLAN-T5. */
export const t5: Architecture = {
  name: 't5',
  kinds: T5_KINDS,
  build: async (folder, options, pace) => {
    const shape = readT5Shape(folder);
    return encoderDecoderContent(folder, options, pace, {
      vocabularySize: shape.vocabularySize,
      limits: { sourceLength: POSITIONS, targetLength: POSITIONS },
      network: (suppressed, precision) => t5Network(folder, shape, tensorReader(folder), suppressed, precision),
    });
  },
};
