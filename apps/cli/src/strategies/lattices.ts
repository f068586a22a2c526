import type { Decoder } from '@foretoken/core';
import { assertLattice } from '@foretoken/core/kit';
import {
  ctcGreedy,
  ctcPrefixBeam,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagSampling,
  dagViterbi,
} from '@foretoken/one-shot';
import { usageError } from '../errors.js';
import { outputTokens } from '../requests.js';
import type { PartModel } from '../strategy-names.js';
import { type Binding, type Decode, define, languageModelFor, partFor } from './definition.js';
import {
  ALIGNMENTS,
  BEAM_SIZE,
  CANDIDATES,
  HYPOTHESES,
  LANGUAGE_MODEL,
  LENGTH,
  LENGTH_PENALTY,
  NO_REPEATED_NGRAMS,
  RESCORING,
  TEMPERATURE,
} from './shared-options.js';
import { number, phrases } from './strategy-option.js';

/** Natural-log bonus of a hot word: worth a token that the model finds a hundred times less probable. */
const HOT_WORD_BONUS = 5;

export const CTC = {
  ctc: define({
    options: ALIGNMENTS,
    bind: (binding, given) => decodeWith(binding, 'ctc', () => ctcGreedy(given)),
  }),
  'ctc-prefix-beam': define({
    options: {
      ...BEAM_SIZE,
      ...HYPOTHESES,
      ...CANDIDATES,
      lengthBonus: number('added to the score for each token (default 0)'),
      minTokenLogProb: number('labels of a frame below this are not searched'),
      beamThreshold: number('prefixes this far below the best one are dropped'),
      ...LANGUAGE_MODEL,
      hotWord: phrases('a phrase that outputs should rather hold; may be repeated'),
      hotWordBonus: number('natural-log bonus of each hot word (default 5)'),
      ...RESCORING,
      ...ALIGNMENTS,
      ...NO_REPEATED_NGRAMS,
    },
    check: ({ hotWord, hotWordBonus }) => checkHotWords(hotWord, hotWordBonus),
    bind: (binding, { languageModelWeight, hotWord, hotWordBonus, rescoring, ...given }) =>
      decodeWith(binding, 'ctc', () =>
        ctcPrefixBeam({
          ...given,
          languageModel: languageModelFor(binding, languageModelWeight),
          rescoring: rescoring && { model: partFor(binding, 'autoregressive') },
          hotWords: hotWords(binding, hotWord, hotWordBonus),
        }),
      ),
  }),
} as const;

export const DAG = {
  'dag-greedy': define({
    options: {},
    bind: (binding) => decodeWith(binding, 'dag', () => dagGreedy()),
  }),
  'dag-lookahead': define({
    options: {},
    bind: (binding) => decodeWith(binding, 'dag', () => dagLookahead()),
  }),
  'dag-viterbi': define({
    options: { ...LENGTH_PENALTY, ...LENGTH },
    bind: (binding, given) => decodeWith(binding, 'dag', () => dagViterbi(given)),
  }),
  'dag-joint-viterbi': define({
    options: { ...LENGTH_PENALTY, ...LENGTH },
    bind: (binding, given) => decodeWith(binding, 'dag', () => dagJointViterbi(given)),
  }),
  'dag-beam': define({
    options: { ...BEAM_SIZE, ...HYPOTHESES, ...CANDIDATES, ...LENGTH_PENALTY, ...LANGUAGE_MODEL },
    bind: (binding, { languageModelWeight, ...given }) =>
      decodeWith(binding, 'dag', () =>
        dagBeam({
          ...given,
          languageModel: languageModelFor(binding, languageModelWeight),
        }),
      ),
  }),
  'dag-sampling': define({
    options: { ...TEMPERATURE, ...HYPOTHESES, ...CANDIDATES },
    request: ['seed'],
    bind: (binding, given) => decodeWith(binding, 'dag', () => dagSampling(given)),
  }),
} as const;

/** The lattice comes first: what else a decoder may need is not looked for in a folder without one. */
function decodeWith<Kind extends 'ctc' | 'dag'>(
  binding: Binding,
  kind: Kind,
  make: () => Decoder<PartModel<'ctc' | 'dag'>>,
): Decode {
  const lattices: PartModel<'ctc' | 'dag'> = partFor(binding, kind);
  const decoder = make();
  assertLattice(decoder, lattices);
  return (request) => decoder.decode(lattices, request);
}

function checkHotWords(words: readonly string[] = [], bonus: number | undefined): void {
  if (bonus !== undefined && words.length === 0) {
    throw usageError('--hot-word-bonus has no effect without --hot-word.', { option: 'hot-word-bonus' });
  }
  if (words.some((phrase) => phrase.trim() === '')) {
    throw usageError('--hot-word is blank; a phrase is required.', { option: 'hot-word', received: words });
  }
}

function hotWords({ model }: Binding, words: readonly string[] = [], bonus: number = HOT_WORD_BONUS) {
  return words.map((text) => ({ tokenIds: outputTokens(model.tokenizer, text), bonus }));
}
