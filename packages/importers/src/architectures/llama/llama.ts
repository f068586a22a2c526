import { tensorReader } from '../../tensors/tensor-reader.js';
import type { Architecture } from '../architecture.js';
import { causalContent } from '../causal/causal-content.js';
import { llamaNetwork } from './llama-network.js';
import { LLAMA_KINDS, readLlamaShape } from './llama-shape.js';

/** Llama and what is built like it: SmolLM, Mistral, Qwen 2, Qwen 3. */
export const llama: Architecture = {
  name: 'llama',
  kinds: LLAMA_KINDS,
  build: async (folder, options, pace) => {
    const shape = readLlamaShape(folder);
    return causalContent(folder, options, pace, {
      shape,
      network: (suppressed, precision) => llamaNetwork(shape, tensorReader(folder), suppressed, precision),
    });
  },
};
