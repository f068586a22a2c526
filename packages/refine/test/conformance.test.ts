import { ctcGreedy } from '@foretoken/one-shot';
import { easyFirst, insertion, levenshtein, maskedDiffusion, maskPredict, skeletonFirst } from '@foretoken/refine';
import { canvasConformance, editConformance } from '@foretoken/testkit';
import { describe, it } from 'vitest';
import { latticeOf } from './lattice-models.js';

const runner = { describe, it };

const decoders = {
  'maskPredict()': () => maskPredict(),
  'maskPredict, one iteration': () => maskPredict({ iterations: 1 }),
  'maskPredict, cosine, length beam': () => maskPredict({ iterations: 6, schedule: 'cosine', lengthBeam: 3 }),
  'maskPredict, adaptive stop': () => maskPredict({ iterations: 10, minMasked: 1, adaptiveStop: true }),
  'easyFirst()': () => easyFirst(),
  'easyFirst, levels, length beam': () => easyFirst({ levels: 3, lengthBeam: 2 }),
  'skeletonFirst()': () => skeletonFirst(),
  'skeletonFirst, revised': () => skeletonFirst({ share: 0.3, iterations: 3, revise: true, content: (id) => id !== 2 }),
  'maskedDiffusion()': () => maskedDiffusion(),
  'maskedDiffusion, margin': () => maskedDiffusion({ order: 'margin', iterations: 3 }),
  'maskedDiffusion, entropy, blocks': () => maskedDiffusion({ order: 'entropy', blockLength: 4, iterations: 5 }),
  'maskedDiffusion, entropy-bounded': () => maskedDiffusion({ order: 'entropy-bounded', entropyBound: 2 }),
  'maskedDiffusion, random, sampled': () => maskedDiffusion({ order: 'random', temperature: 0.7, iterations: 4 }),
  'maskedDiffusion, remasked': () => maskedDiffusion({ remask: 0.5, blockLength: 5, temperature: 1 }),
  'maskedDiffusion, given length': () => maskedDiffusion({ length: 7, order: 'left-to-right', iterations: 3 }),
};

for (const [name, createDecoder] of Object.entries(decoders)) canvasConformance({ runner, name, createDecoder });

const editors = {
  'levenshtein()': () => levenshtein(),
  'levenshtein, threshold, two a gap': () => levenshtein({ deletionThreshold: 0.3, perGap: 2, iterations: 4 }),
  'levenshtein from a lattice': () => levenshtein({ initial: { lattice: latticeOf(3), search: ctcGreedy() } }),
  'insertion()': () => insertion(),
};
for (const [name, createDecoder] of Object.entries(editors)) editConformance({ runner, name, createDecoder });
