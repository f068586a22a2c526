import type { AutoregressiveModel, TokenSource } from '@foretoken/core';
import { NgramModel, type NgramTables, type WeightedLanguageModel } from '@foretoken/language-models';
import { combineDrafters, copyDrafter, latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import {
  adversarialDrafter,
  autoregressiveConformance,
  drafterConformance,
  proposeOne,
  randomLogits,
  scriptedLatticeModel,
  speculativeCounterexample,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const runner = { describe, it };
const VOCABULARY = { size: 7, endTokenId: 0 };
const SOURCES = [Int32Array.of(5, 2, 4), Int32Array.of(3, 6)];

/** A CTC model over the suite's vocabulary, of the opinion that scores depend on source and frame. */
const lattice = scriptedLatticeModel({
  vocabularySize: VOCABULARY.size,
  endTokenId: VOCABULARY.endTokenId,
  blankId: 6,
  frames: (source) => {
    const score = randomLogits({
      seed: 4,
      vocabularySize: VOCABULARY.size,
      endTokenId: 0,
      sharpness: 4,
      typicalLength: 1e9,
    });
    return Array.from({ length: 3 * source.length }, (_, frame) => score(source, [frame]));
  },
});

/** A trigram model in which every token likes to be followed by the next id. */
const tables: NgramTables = {
  unigramProbability: new Float32Array(7).fill(1 / 7),
  unigramBackoff: new Float32Array(7).fill(0.4),
  bigramIds: Int32Array.from([1, 2, 2, 3, 3, 4, 4, 5]),
  bigramProbability: new Float32Array(4).fill(0.6),
  bigramBackoff: new Float32Array(4).fill(0.5),
  trigramIds: Int32Array.from([1, 2, 3, 2, 3, 4]),
  trigramProbability: new Float32Array(2).fill(0.8),
};
const ngrams = new NgramModel(tables, VOCABULARY);

const drafters = {
  lattice: () => latticeDrafter({ model: lattice, minProbability: 0.02, shape: 'tree' }),
  'lattice chain': () => latticeDrafter({ model: lattice, minProbability: 0.02, shape: 'chain' }),
  'lattice with n-grams': () =>
    latticeDrafter({ model: lattice, minProbability: 0.02, shape: 'tree', languageModel: { model: ngrams } }),
  ngram: () => ngramDrafter({ vocabulary: VOCABULARY }),
  copy: () => copyDrafter({ vocabulary: VOCABULARY }),
  'copy by text': () =>
    copyDrafter({
      vocabulary: VOCABULARY,
      tokenText: (tokenId) => ['', 'a', 'b', ' a', 'ab', ' ba', ''][tokenId],
      shape: 'tree',
    }),
  'copy of a lattice': () => copyDrafter({ vocabulary: VOCABULARY, from: lattice }),
  'copy and lattice': () =>
    combineDrafters([
      copyDrafter({ vocabulary: VOCABULARY }),
      latticeDrafter({ model: lattice, minProbability: 0.02, shape: 'tree' }),
    ]),
} as const;

for (const [name, createDrafter] of Object.entries(drafters)) {
  drafterConformance({ runner, name: `the ${name} drafter`, createDrafter, vocabulary: VOCABULARY, sources: SOURCES });
  autoregressiveConformance({
    runner,
    name: `speculative with the ${name} drafter`,
    createDecoder: () => speculative({ drafter: createDrafter() }),
    models: 8,
  });
}

/** The score function of the suite's own model is not known here, so this drafter is merely unrelated to it. */
autoregressiveConformance({
  runner,
  name: 'speculative with scores and a bushy drafter',
  createDecoder: (model: AutoregressiveModel<TokenSource>) =>
    speculative({
      scores: true,
      drafter: adversarialDrafter({
        kind: 'bush',
        score: randomLogits({ seed: 1, vocabularySize: model.vocabulary.size, endTokenId: 0 }),
        vocabularySize: model.vocabulary.size,
        endTokenId: 0,
        seed: 2,
      }),
    }),
});

autoregressiveConformance({
  runner,
  name: 'speculative with chains',
  createDecoder: () => speculative({ drafter: drafters['lattice chain'](), shape: 'chain' }),
});

describe('speculative', () => {
  it('equals greedy on thousands of random models with adversarial drafts', async () => {
    const tree = await speculativeCounterexample((drafter) => speculative({ drafter }), { models: 400 });
    expect(tree).toBeUndefined();
    const chain = await speculativeCounterexample((drafter) => speculative({ drafter, shape: 'chain', maxNodes: 4 }), {
      models: 200,
    });
    expect(chain).toBeUndefined();
  });
});

describe('n-grams in the lattice drafter', () => {
  it('are refused by name when they do not fit', () => {
    const small: NgramTables = {
      unigramProbability: new Float32Array(3).fill(1 / 3),
      unigramBackoff: new Float32Array(3).fill(1),
      bigramIds: new Int32Array(),
      bigramProbability: new Float32Array(),
      bigramBackoff: new Float32Array(),
      trigramIds: new Int32Array(),
      trigramProbability: new Float32Array(),
    };
    const drafter = (languageModel: unknown) => () =>
      latticeDrafter({ model: lattice, languageModel: languageModel as WeightedLanguageModel });
    expect(drafter({ model: new NgramModel(small, VOCABULARY) })).toThrow(
      /languageModel\.model is a model of 3 tokens/,
    );
    expect(drafter({ model: ngrams, weight: -1 })).toThrow(/languageModel\.weight/);
    expect(drafter({ weight: 1 })).toThrow(/languageModel\.model/);
    expect(drafter(ngrams)).toThrow(/\{ model, weight \}/);
  });

  it('change the order of guesses, and with weight 0 change nothing', async () => {
    const propose = async (options: Partial<Parameters<typeof latticeDrafter>[0]>) => {
      const session = await latticeDrafter({ model: lattice, minProbability: 0.001, ...options }).open(SOURCES, {});
      const request = { row: 0, prefix: Int32Array.of(1, 2), limit: { nodes: 8, depth: 3 } };
      const { tokenIds, parents } = await proposeOne(session, request);
      await session[Symbol.asyncDispose]();
      return [...tokenIds, ...parents];
    };
    const plain = await propose({});
    expect(await propose({ languageModel: { model: ngrams, weight: 0 } })).toEqual(plain);
    const strong = await propose({ languageModel: { model: ngrams, weight: 4 } });
    expect(strong).not.toEqual(plain);
    // After 1, 2 the trigram model wants a 3.
    expect(strong[0]).toBe(3);
  });
});
