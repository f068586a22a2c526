import { beamSearch } from '@foretoken/beam';
import type { Decoder } from '@foretoken/core';
import { assertAutoregressive } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import { OPTIONS } from '../command.js';
import { DRAFTERS, type PartModel } from '../strategy-names.js';
import { type Binding, type Decode, define, partFor } from './definition.js';
import { createDrafter } from './drafters.js';
import { BEAM_SIZE, HYPOTHESES, LENGTH_PENALTY, RULES, TEMPERATURE } from './shared-options.js';
import { choice, integer, number } from './strategy-option.js';

/** Maximum of nodes of a draft that copies the source: a sentence. */
const COPIED_NODES = 32;

export const AUTOREGRESSIVE = {
  greedy: define({
    options: RULES,
    request: ['minNewTokens'],
    bind: (binding, given) => decodeWith(binding, greedy(given)),
  }),
  sampling: define({
    options: {
      ...TEMPERATURE,
      topK: integer('keep the k most probable tokens'),
      topP: number('keep the most probable tokens that reach this probability'),
      minP: number('keep tokens this fraction as probable as the best one'),
      ...HYPOTHESES,
      ...RULES,
    },
    request: ['seed', 'minNewTokens'],
    bind: (binding, given) => decodeWith(binding, sampling({ ...given, scores: (given.hypotheses ?? 1) > 1 })),
  }),
  beam: define({
    options: { ...BEAM_SIZE, ...HYPOTHESES, ...LENGTH_PENALTY, ...RULES },
    request: ['minNewTokens'],
    bind: (binding, given) => decodeWith(binding, beamSearch(given)),
  }),
  speculative: define({
    options: { drafter: choice(DRAFTERS, OPTIONS.drafter.description) },
    bind: (binding, given) => {
      const drafter = given.drafter ?? binding.drafter ?? 'lattice';
      const decoder = speculative({
        drafter: typeof drafter === 'string' ? createDrafter(drafter, binding.model) : drafter,
        maxNodes: drafter === 'lattice' || drafter === 'ngram' ? undefined : COPIED_NODES,
      });
      return decodeWith(binding, decoder);
    },
  }),
} as const;

function decodeWith(binding: Binding, decoder: Decoder<PartModel<'autoregressive'>>): Decode {
  const target = partFor(binding, 'autoregressive');
  assertAutoregressive(decoder, target);
  return (request) => decoder.decode(target, request);
}
