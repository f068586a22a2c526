import { type AutoregressiveModel, collect, type TokenConstraint, type TokenSource } from '@foretoken/core';
import { type GreedyOptions, greedy, sampling } from '@foretoken/greedy';
import {
  assertCode,
  autoregressiveConformance,
  eventsOf,
  randomScriptedModel,
  scriptedModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

autoregressiveConformance({
  runner: { describe, it },
  name: 'greedy with rules',
  createDecoder: () => greedy({ repetitionPenalty: 1.2, noRepeatNgramSize: 3, tokenLogProbs: true }),
});

const SOURCES = [Int32Array.of(4), Int32Array.of(1, 2), Int32Array.of(9)];
const model = (seed: number): AutoregressiveModel<TokenSource> => randomScriptedModel({ seed, vocabularySize: 8 });

async function outputs(options: GreedyOptions, seed: number, minNewTokens = 0): Promise<number[][]> {
  const { results } = await collect(greedy(options).decode(model(seed), { sources: SOURCES, minNewTokens }));
  return results.map(({ hypotheses }) => [...(hypotheses[0]?.tokenIds ?? [])]);
}

const seeds = fc.integer({ min: 1, max: 1e6 });
const property = (check: (seed: number) => Promise<void>) => fc.assert(fc.asyncProperty(seeds, check), { numRuns: 60 });

describe('rules on scores', () => {
  it('noRepeatNgramSize: no n-gram occurs twice', async () => {
    await property(async (seed) => {
      for (const size of [1, 2, 3]) {
        for (const output of await outputs({ noRepeatNgramSize: size }, seed)) {
          const ngrams = Array.from({ length: Math.max(0, output.length - size + 1) }, (_, at) =>
            output.slice(at, at + size).join(),
          );
          expect(new Set(ngrams).size).toBe(ngrams.length);
        }
      }
    });
  });

  it('badWords: no sequence occurs, and an output without them is not changed', async () => {
    await property(async (seed) => {
      const [plain] = (await outputs({}, seed)) as [number[]];
      const word = Int32Array.from(plain.slice(1, 3));
      if (word.length < 2) return;
      for (const output of await outputs({ badWords: [word] }, seed)) {
        expect(`,${output.join()},`).not.toContain(`,${word.join()},`);
      }
      expect(await outputs({ badWords: [Int32Array.of(7, 7, 7, 7, 7, 7)] }, seed)).toEqual(await outputs({}, seed));
    });
  });

  it('minNewTokens: outputs are that long, and longer ones are not changed', async () => {
    await property(async (seed) => {
      const plain = await outputs({}, seed);
      for (const [row, output] of (await outputs({}, seed, 6)).entries()) {
        expect(output.length).toBeGreaterThanOrEqual(6);
        if ((plain[row]?.length ?? 0) >= 6) expect(output).toEqual(plain[row]);
      }
    });
  });

  it('forcedTokens: they stand where they were forced, and the rest follows from them', async () => {
    await property(async (seed) => {
      const forcedTokens = new Map([
        [0, 3],
        [2, 5],
      ]);
      for (const output of await outputs({ forcedTokens }, seed, 3)) {
        expect([output[0], output[2]]).toEqual([3, 5]);
      }
      const prefixed = greedy().decode(model(seed), {
        sources: SOURCES,
        outputPrefixes: SOURCES.map(() => Int32Array.of(3)),
      });
      const { results } = await collect(prefixed);
      const expected = await outputs({ forcedTokens: new Map([[0, 3]]) }, seed);
      expect(results.map(({ hypotheses }) => [...(hypotheses[0]?.tokenIds ?? [])])).toEqual(expected);
    });
  });

  it('frequency and presence penalties: a repeated token loses its lead by the stated amounts', async () => {
    const script = scriptedModel({ vocabularySize: 4, score: () => [-50, 3, 2, 1.2] });
    const run = async (options: GreedyOptions) => {
      const { results } = await collect(
        greedy(options).decode(script, { sources: [Int32Array.of(1)], maxNewTokens: 6 }),
      );
      return [...(results[0]?.hypotheses[0]?.tokenIds ?? [])];
    };
    // Presence takes 1.1 once from 1 (1.9 < 2), then once from 2 (0.9 < 1.9).
    expect(await run({ presencePenalty: 1.1 })).toEqual([1, 2, 1, 1, 1, 1]);
    // Frequency takes 0.7 each time: 3, 2.3, 1.6 < 2, 1.3 < 1.6, 0.9 < 1.3 ...
    expect(await run({ frequencyPenalty: 0.7 })).toEqual([1, 1, 2, 1, 2, 3]);
    expect(await run({ logitBias: new Map([[3, 2]]) })).toEqual([3, 3, 3, 3, 3, 3]);
  });

  it('a constraint holds at every step, in greedy and in sampling', async () => {
    // Tokens must not decrease, and the output may end only on token 6.
    const rising: TokenConstraint<number> = {
      start: () => 1,
      next: (_state, tokenId) => tokenId,
      allowed: (state) =>
        Uint8Array.from({ length: 8 }, (_, id) => Number(id === 0 ? state === 6 : id >= state && id < 7)),
    };
    await property(async (seed) => {
      const decoders = [greedy({ constraint: rising }), sampling({ constraint: rising, hypotheses: 2 })];
      for (const decoder of decoders) {
        const { results } = await collect(decoder.decode(model(seed), { sources: SOURCES, maxNewTokens: 30, seed }));
        for (const { tokenIds, finishReason } of results.flatMap(({ hypotheses }) => hypotheses)) {
          expect([...tokenIds].sort()).toEqual([...tokenIds]);
          if (finishReason === 'end-token') expect(tokenIds.at(-1)).toBe(6);
        }
      }
    });
  });

  it('your own processor is the last, and sees the hypothesis it scores', async () => {
    const seen: string[] = [];
    const processor = (
      scores: Float32Array,
      { row, prefix, output }: { row: number; prefix: Int32Array; output: readonly number[] },
    ): void => {
      seen.push(`${row}:${prefix.join()}:${output.join()}:${scores[2]}`);
      scores.fill(Number.NEGATIVE_INFINITY);
      scores[output.length === 2 ? 0 : 5] = 0;
    };
    const decoder = greedy({ logitBias: new Map([[2, Number.NEGATIVE_INFINITY]]), processors: [processor] });
    const { results } = await collect(decoder.decode(model(1), { sources: [Int32Array.of(1)] }));
    expect([...(results[0]?.hypotheses[0]?.tokenIds ?? [])]).toEqual([5, 5]);
    expect(seen).toEqual(['0:1::-Infinity', '0:1:5:-Infinity', '0:1:5,5:-Infinity']);
  });

  it('of the request alone need scores of the whole vocabulary, which are looked for before any compute', async () => {
    const narrow = randomScriptedModel({ seed: 1, vocabularySize: 8, supports: { outputs: ['argmax', 'topK'] } });
    for (const decoder of [greedy(), greedy({ scores: true }), sampling({ topK: 3 })]) {
      expect((await collect(decoder.decode(narrow, { sources: SOURCES, minNewTokens: 0 }))).results).toHaveLength(3);
      const refused = collect(decoder.decode(narrow, { sources: SOURCES, minNewTokens: [0, 2, 0] }));
      await expect(refused).rejects.toMatchObject({
        code: 'UNSUPPORTED_CAPABILITY',
        message: `${decoder.name} needs the logits output, which this model does not offer. It offers: argmax, topK.`,
      });
    }
  });

  it('that were options once are told where they went', () => {
    for (const make of [greedy, sampling]) {
      expect(() => make({ minNewTokens: 3 } as GreedyOptions)).toThrow(
        'takes no minNewTokens. minNewTokens is taken by: decode, in its request.',
      );
    }
  });

  it('are checked against the model and the request before any compute', async () => {
    const refuse = (
      options: GreedyOptions,
      request: object = {},
      code: 'INVALID_ARGUMENT' | 'UNSATISFIABLE_CONSTRAINT' = 'INVALID_ARGUMENT',
    ) =>
      assertCode(() => {
        const unopened: AutoregressiveModel<TokenSource> = {
          ...model(1),
          open: () => Promise.reject(new Error('opened')),
        };
        return eventsOf(greedy(options).decode(unopened, { sources: SOURCES, ...request }));
      }, code);
    await refuse({ badWords: [Int32Array.of(8)] });
    await refuse({ logitBias: new Map([[-1, 1]]) });
    await refuse({ forcedTokens: new Map([[0, 99]]) });
    await refuse({}, { minNewTokens: 5, maxNewTokens: 4 });
    await refuse({}, { minNewTokens: 500 });
    await refuse({ forcedTokens: new Map([[2, 0]]) }, { minNewTokens: 5 });
    await refuse({ forcedTokens: new Map([[9, 3]]) }, { maxNewTokens: 3 });
    await refuse({ forcedTokens: new Map([[3, 3]]) }, { maxNewTokens: 3 });
    const prefixes = [Int32Array.of(5), new Int32Array(), new Int32Array()];
    await refuse({ forcedTokens: new Map([[0, 3]]) }, { outputPrefixes: prefixes });
    await refuse({}, { stopSequences: [Int32Array.of(99)] });
    await refuse({ alternatives: 9 });
    await refuse({}, { outputPrefixes: [Int32Array.of(8), new Int32Array(), new Int32Array()] });
    const constraint = (size: number): TokenConstraint<number> => ({
      start: () => 0,
      next: (state) => state,
      allowed: () => new Uint8Array(size),
    });
    await refuse({ constraint: constraint(7) });
    await refuse({ constraint: constraint(8) }, {}, 'UNSATISFIABLE_CONSTRAINT');
    const onlyThree: TokenConstraint<number> = {
      start: () => 0,
      next: (state) => state,
      allowed: () => Uint8Array.from({ length: 8 }, (_, id) => Number(id === 3)),
    };
    await refuse({ constraint: onlyThree }, { outputPrefixes: prefixes }, 'UNSATISFIABLE_CONSTRAINT');
  });

  it('throw UNSATISFIABLE_CONSTRAINT, not nonsense, where they leave no token', async () => {
    const all = Array.from({ length: 8 }, (_, id) => Int32Array.of(id));
    for (const decoder of [greedy({ badWords: all }), sampling({ badWords: all })]) {
      await assertCode(() => eventsOf(decoder.decode(model(1), { sources: SOURCES })), 'UNSATISFIABLE_CONSTRAINT');
    }
  });
});
