import { correctionDrafter } from '@foretoken/correction';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel, PartDecoder } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { speculative } from '@foretoken/speculative';
import { type OptionValues, optionsOf, type Strategy } from './strategies.js';

/** Tokens that views show beside the one that was chosen. */
const ALTERNATIVES = 4;
/** Positions of a text that diffusion writes. */
const DIFFUSION_LENGTH = 40;

type Create = (model: LoadedModel, options: OptionValues) => PartDecoder | Promise<PartDecoder>;

/** What the first race does not need is loaded when it is asked for; part of a package by a file that takes it alone. */
const dag = () => import('./later/dag.js');
const latticeDrafts = () => import('./later/lattice-drafts.js');
const sampling = () => import('./later/sampling.js');
const beam = () => import('@foretoken/beam');
const refine = () => import('@foretoken/refine');

/** The decoders, by the names of the strategies; each reports what its views show. */
const CREATE: Readonly<Record<string, Create>> = {
  greedy: () => greedy({ alternatives: ALTERNATIVES }),
  'speculative-copy': (model, { draftTokens: maxNodes }) =>
    speculative({ drafter: correctionDrafter(model), maxNodes, tokenLogProbs: true }),
  speculative: async (model, { draftTokens: maxNodes }) => {
    const { latticeDrafter } = await latticeDrafts();
    return speculative({ drafter: latticeDrafter(model.speculation()), maxNodes, tokenLogProbs: true });
  },
  ctc: () => ctcGreedy({ alignments: true, lattices: true, candidates: ALTERNATIVES }),
  beam: async (_model, { beamSize }) => (await beam()).beamSearch({ beamSize, hypotheses: beamSize, branches: true }),
  sampling: async (_model, { temperature }) => (await sampling()).sampling({ temperature, alternatives: ALTERNATIVES }),
  dag: async () => (await dag()).dagLookahead({ lattices: true }),
  'mask-predict': async (_model, options) => (await refine()).maskPredict({ iterations: options.iterations }),
  levenshtein: async (_model, options) => (await refine()).levenshtein({ iterations: options.iterations }),
  diffusion: async (_model, { temperature }) =>
    (await refine()).maskedDiffusion({ length: DIFFUSION_LENGTH, temperature }),
  'diffusion-fast': async (_model, { temperature, iterations }) =>
    (await refine()).maskedDiffusion({ length: DIFFUSION_LENGTH, temperature, iterations }),
};

/** The decoder of a strategy for a model. Throws `UNSUPPORTED_CAPABILITY` where the model lacks the part. */
export async function createDecoder(
  strategy: Strategy,
  model: LoadedModel,
  options: OptionValues,
): Promise<PartDecoder> {
  const create = CREATE[strategy.id];
  if (create === undefined) throw new Error(`The playground has no strategy ${strategy.id}.`);
  return create(model, optionsOf(strategy, options));
}
