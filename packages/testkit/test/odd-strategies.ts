import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import type { DecodeEvent } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import {
  ctcGreedy,
  ctcPrefixBeam,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagSampling,
  dagViterbi,
  nat,
} from '@foretoken/one-shot';
import {
  easyFirst,
  insertion,
  levenshtein,
  maskCtc,
  maskedDiffusion,
  maskPredict,
  skeletonFirst,
} from '@foretoken/refine';
import { latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import {
  randomCanvasScore,
  randomLogits,
  randomScriptedModel,
  scriptedCanvasModel,
  scriptedEditModel,
  scriptedLatticeModel,
  scriptedModel,
} from '@foretoken/testkit';
import { scriptedDag } from './scripted-kinds.js';

const VOCABULARY = 6;
const score = randomLogits({ seed: 3, vocabularySize: VOCABULARY, endTokenId: 0 });

const autoregressive = scriptedModel({
  vocabularySize: VOCABULARY,
  score,
  state: () => Float32Array.of(1, 0),
  maxLength: 6,
});

const lattice = scriptedLatticeModel({
  vocabularySize: VOCABULARY,
  blankId: VOCABULARY - 1,
  frames: (source) => [1, 2, 3].map((frame) => score(source, [frame])),
});

const canvas = scriptedCanvasModel({
  vocabularySize: VOCABULARY,
  maxLength: 6,
  score: randomCanvasScore({ seed: 5, vocabularySize: VOCABULARY }),
  lengths: () => Float32Array.of(0, 1, 2, 3),
});

const dag = scriptedDag(VOCABULARY);

const edit = scriptedEditModel({
  vocabularySize: VOCABULARY,
  startTokenId: 1,
  endTokenId: 0,
  placeholderTokenId: VOCABULARY - 1,
  maxLength: 6,
  deletions: (_, canvas) => new Float32Array(canvas.length).fill(0.05),
  placeholders: (_, canvas) => new Int32Array(canvas.length - 1).fill(1),
  score: () => [-9, -9, -1, -2, -9, -9],
});

/** One model of each kind. */
export const MODELS = { autoregressive, lattice, dag, canvas, edit } as const;

type Factory = (options?: never) => { decode(model: never, request: never): AsyncIterable<DecodeEvent> };

export interface OddStrategy {
  readonly name: string;
  readonly factory: Factory;
  readonly model: keyof typeof MODELS;
  /** Options that it cannot do without. */
  readonly needed?: object;
}

const drafter = latticeDrafter({ model: lattice });
const initial = { lattice, search: ctcGreedy() };

export const STRATEGIES: readonly OddStrategy[] = [
  { name: 'greedy', factory: greedy, model: 'autoregressive' },
  { name: 'sampling', factory: sampling, model: 'autoregressive' },
  { name: 'beamSearch', factory: beamSearch, model: 'autoregressive' },
  { name: 'stochasticBeam', factory: stochasticBeam, model: 'autoregressive' },
  { name: 'contrastiveSearch', factory: contrastiveSearch, model: 'autoregressive' },
  { name: 'speculative', factory: speculative as never, model: 'autoregressive', needed: { drafter } },
  { name: 'ctcGreedy', factory: ctcGreedy, model: 'lattice' },
  { name: 'ctcPrefixBeam', factory: ctcPrefixBeam, model: 'lattice' },
  { name: 'dagGreedy', factory: dagGreedy, model: 'dag' },
  { name: 'dagLookahead', factory: dagLookahead, model: 'dag' },
  { name: 'dagSampling', factory: dagSampling, model: 'dag' },
  { name: 'dagViterbi', factory: dagViterbi, model: 'dag' },
  { name: 'dagJointViterbi', factory: dagJointViterbi, model: 'dag' },
  { name: 'dagBeam', factory: dagBeam, model: 'dag' },
  { name: 'nat', factory: nat, model: 'canvas' },
  { name: 'maskPredict', factory: maskPredict, model: 'canvas' },
  { name: 'easyFirst', factory: easyFirst, model: 'canvas' },
  { name: 'skeletonFirst', factory: skeletonFirst, model: 'canvas' },
  { name: 'maskedDiffusion', factory: maskedDiffusion, model: 'canvas' },
  { name: 'maskCtc', factory: maskCtc as never, model: 'canvas', needed: { initial } },
  { name: 'levenshtein', factory: levenshtein, model: 'edit' },
  { name: 'insertion', factory: insertion, model: 'edit' },
];

/** Other functions that take options, and what they cannot do without. */
export const FACTORIES: readonly {
  readonly name: string;
  readonly factory: (options?: never) => unknown;
  readonly needed?: object;
}[] = [
  { name: 'latticeDrafter', factory: latticeDrafter as never, needed: { model: lattice } },
  { name: 'ngramDrafter', factory: ngramDrafter as never, needed: { vocabulary: autoregressive.vocabulary } },
  { name: 'randomLogits', factory: randomLogits as never, needed: { seed: 1, vocabularySize: 4, endTokenId: 0 } },
  { name: 'randomScriptedModel', factory: randomScriptedModel as never, needed: { seed: 1, vocabularySize: 4 } },
  { name: 'scriptedModel', factory: scriptedModel as never, needed: { vocabularySize: 4, score } },
  { name: 'randomCanvasScore', factory: randomCanvasScore as never, needed: { seed: 1, vocabularySize: 4 } },
  {
    name: 'scriptedLatticeModel',
    factory: scriptedLatticeModel as never,
    needed: { vocabularySize: 4, blankId: 3, frames: () => [] },
  },
  {
    name: 'scriptedCanvasModel',
    factory: scriptedCanvasModel as never,
    needed: { vocabularySize: 4, score: () => [] },
  },
];
