import { type AutoregressiveModel, type Decoder, ForetokenError, nodeInBatch, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import {
  assertCode,
  autoregressiveConformance,
  collectOutcomes,
  drafterConformance,
  speculativeCounterexample,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { type GreedyFault, minimalGreedy } from './minimal-greedy.js';

type Model = AutoregressiveModel<TokenSource>;

/** Names of the laws that a decoder breaks. */
async function brokenLaws(createDecoder: () => Decoder<Model>): Promise<string[]> {
  const outcomes = await collectOutcomes((runner) =>
    autoregressiveConformance({ runner, name: 'mutant', createDecoder, models: 12 }),
  );
  expect(outcomes.length).toBeGreaterThan(8);
  return outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
}

describe('the decoder suite', () => {
  it('passes a minimal correct decoder', async () => {
    expect(await brokenLaws(() => minimalGreedy('none'))).toEqual([]);
  });

  const STOPS = 'stops every row at a stop sequence, and with the token that completes a stop string';
  const caught: Readonly<Record<Exclude<GreedyFault, 'none'>, string>> = {
    'ignores the limit': 'cuts at maxNewTokens exactly',
    'ignores stop sequences': STOPS,
    'ignores stop strings': STOPS,
    'ignores output prefixes': 'starts inside an output, or refuses to',
    'keeps the end token': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'leaks its forest': 'releases everything when a forward fails or the reader stops reading',
    'computes after an abort': 'stops at an abort, throws its reason and releases everything',
    'skips validation': 'refuses bad requests by code before it opens anything',
    'opens before checking the model': 'is refused before any compute by a model that lacks what it requires',
    'lets rows influence one another': 'gives a row of a batch what it gives the row alone',
    'never finishes a row': 'lets go of a row once it is over, and extends it no more',
    'never finishes a row and goes on feeding it': 'lets go of a row once it is over, and extends it no more',
    'swallows a failed forward': 'releases everything when a forward fails or the reader stops reading',
    'obeys stop sequences in row 0 only': STOPS,
    'obeys stop strings in row 0 only': STOPS,
    'finds stop strings at the borders of tokens only': STOPS,
    'returns nothing where there is a limit': 'cuts at maxNewTokens exactly',
    'reports length for the end token': 'says that an output ended with the end token unless it is as long as may be',
    'reports a time that is none': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'reports drafts that it never made': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'ranks another hypothesis best': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'counts too few forwards': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'forgets a commit': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'shares state between decodes': 'serves two decodes at once',
  };
  for (const [fault, law] of Object.entries(caught)) {
    it(`catches a decoder that ${fault}`, async () => {
      const decoder = minimalGreedy(fault as GreedyFault);
      expect(await brokenLaws(() => decoder)).toContain(law);
    });
  }
});

describe('the drafter suite', () => {
  const vocabulary = { size: 6, endTokenId: 0 };
  const sources = [Int32Array.of(1), Int32Array.of(2)];
  // Another number at each call, and the same ones in each run of the tests.
  let state = 1;
  const noisy = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const outcomesOf = (tokenIds: readonly number[], parents: readonly number[], noise = false) =>
    collectOutcomes((runner) =>
      drafterConformance({
        runner,
        name: 'mutant',
        vocabulary,
        sources,
        createDrafter: () => ({
          name: 'fixed',
          async open() {
            return {
              forwards: 0,
              propose: (_row, _prefix, limit) => {
                const count = noise ? Math.floor(noisy() * (limit.nodes + 1)) : limit.nodes === 0 ? 0 : tokenIds.length;
                return {
                  tokenIds: Int32Array.from(tokenIds.slice(0, count)),
                  parents: Int32Array.from(parents.slice(0, count)),
                };
              },
              async [Symbol.asyncDispose]() {},
            };
          },
        }),
      }),
    );

  it('passes a correct drafter and catches faulty ones', async () => {
    const broken = async (...draft: Parameters<typeof outcomesOf>): Promise<boolean> =>
      (await outcomesOf(...draft)).some(({ error }) => error !== undefined);
    expect(await broken([3], [-1])).toBe(false);
    expect(await broken([3, 3], [-1, -1])).toBe(true);
    expect(await broken([3], [0])).toBe(true);
    expect(await broken([6], [-1])).toBe(true);
    expect(await broken([0, 3], [-1, 0])).toBe(true);
    expect(await broken([1, 2, 3, 4], [-1, 0, 1, 2])).toBe(true);
    expect(await broken([1, 2, 3, 4, 5], [-1, -1, -1, -1, -1], true)).toBe(true);
  });
});

describe('the speculative oracle', () => {
  it('finds no counterexample for speculative decoding, and one for a decoder that trusts its draft', async () => {
    expect(await speculativeCounterexample((drafter) => speculative({ drafter }), { models: 100 })).toBeUndefined();
    const trusting = await speculativeCounterexample(
      (drafter) => {
        const inner = speculative<TokenSource>({ drafter });
        return {
          ...inner,
          // A target that agrees with whatever is drafted: every draft token is taken unverified.
          decode: (model, request) =>
            inner.decode(
              {
                ...model,
                async open(sources, options) {
                  const forest = await model.open(sources, options);
                  const extend = forest.extend.bind(forest);
                  forest.extend = async (nodes, output, signal) => {
                    const extension = await extend(nodes, output, signal);
                    const tokenIds = (extension as unknown as { tokenIds: Int32Array }).tokenIds;
                    for (let node = 0; node + 1 < tokenIds.length; node++) {
                      if (nodes.parent[node + 1] === nodeInBatch(node))
                        tokenIds[node] = nodes.tokenId[node + 1] as number;
                    }
                    return extension;
                  };
                  return forest;
                },
              },
              request,
            ),
        };
      },
      { models: 50 },
    );
    expect(trusting).toBeDefined();
  });

  it('finds none for plain greedy decoding', async () => {
    expect(await speculativeCounterexample(() => greedy(), { models: 30 })).toBeUndefined();
  });
});

describe('assertCode', () => {
  it('accepts the code and nothing else', async () => {
    const error = new ForetokenError('DISPOSED', 'gone');
    await assertCode(() => Promise.reject(error), 'DISPOSED');
    await expect(assertCode(() => Promise.reject(error), 'EMPTY_SOURCE')).rejects.toThrow();
    await expect(assertCode(() => Promise.reject(new Error('other')), 'DISPOSED')).rejects.toThrow();
    await expect(assertCode(() => Promise.resolve(), 'DISPOSED')).rejects.toThrow();
  });
});
