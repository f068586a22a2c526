import { collect } from '@foretoken/core';
import { type MaskedDiffusionOptions, maskedDiffusion } from '@foretoken/refine';
import {
  type CanvasScore,
  logSoftmax,
  randomCanvasScore,
  randomLogits,
  referenceGreedy,
  scriptedCanvasModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceLlada } from './references.js';
import { fillsOf, LETTERS, MASK, tableModel, toText, toTokens } from './table-model.js';

const SOURCES = [Int32Array.of(1)];
const VOCABULARY = LETTERS.length;

async function runTable(table: Record<string, string>, options: MaskedDiffusionOptions) {
  const model = tableModel(table);
  const { results } = await collect(maskedDiffusion(options).decode(model, { sources: SOURCES }));
  return { output: toText(results[0].hypotheses[0].tokenIds), fills: fillsOf(model).flat() };
}

/** What each forward of `length` positions decided, for a model that ignores the canvas. */
async function stepsOf(score: CanvasScore, length: number, options: MaskedDiffusionOptions): Promise<number[][]> {
  const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score });
  await collect(maskedDiffusion({ length, ...options }).decode(model, { sources: SOURCES }));
  const open = fillsOf(model).map(([canvas]) => [...canvas].flatMap((letter, at) => (letter === '_' ? [at] : [])));
  return open.map((positions, step) => positions.filter((position) => !open[step + 1]?.includes(position)));
}

describe('maskedDiffusion', () => {
  it('decides the most confident positions first and keeps them', async () => {
    const table = { ____: 'a60 b90 c20 d80', _b_d: 'e40 g9 f70 g9', _bfd: 'a50 g9 g9 g9' };
    expect(await runTable({ ...table, _b_d: 'e90 g9 f70 g9' }, { length: 4, iterations: 2 })).toEqual({
      output: 'ebfd',
      fills: ['____', '_b_d'],
    });
    // Three steps of four positions: two, one, one.
    expect(await runTable(table, { length: 4, iterations: 3 })).toEqual({
      output: 'abfd',
      fills: ['____', '_b_d', '_bfd'],
    });
  });

  it('finishes a block before the next, also where the length is not a multiple of the block', async () => {
    const table = { ___: 'a20 b30 c90', _b_: 'd50 g9 e90', db_: 'g9 g9 f60' };
    expect(await runTable(table, { length: 3, blockLength: 2 })).toEqual({
      output: 'dbf',
      fills: ['___', '_b_', 'db_'],
    });
  });

  it('leaves blocks alone that an end token cuts off', async () => {
    const table = { ______: 'a90 .80 b99 b99 b99 b99', a_____: 'g9 .80 b99 b99 b99 b99' };
    expect(await runTable(table, { length: 6, blockLength: 2 })).toEqual({ output: 'a', fills: ['______', 'a_____'] });
  });

  it('masks the least confident decided positions again, and still ends in time', async () => {
    const table = {
      ____: 'a60 b90 c20 d80', // b is decided
      _b__: 'a60 g9 c20 d80', // d is decided; of the one position decided earlier, half is none
      _b_d: 'e60 g9 f30 g9', // e is decided; of b 90 and d 80, decided earlier, d is masked again
      eb__: 'g9 g9 c50 a70', // the last step decides all that is left
    };
    expect(await runTable(table, { length: 4, remask: 0.5 })).toEqual({ output: 'ebca', fills: Object.keys(table) });
    // With all earlier decisions masked again, each step but the last begins with what the step before decided.
    const score: CanvasScore = (_, _canvas, position) => [0, position, 0, 0, 0, 0, 0, 0, 0];
    expect(await stepsOf(score, 4, { remask: 1 })).toHaveLength(4);
  });

  it('equals autoregressive greedy decoding, one token a step from left to right', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 1, max: 12 }), async (seed, length) => {
        const left = randomLogits({ seed, vocabularySize: VOCABULARY, endTokenId: 0, typicalLength: 6 });
        const score: CanvasScore = (source, canvas, position) => {
          const scores = Float32Array.from(left(source, [...canvas.subarray(0, position)]));
          scores[MASK] = Number.NEGATIVE_INFINITY;
          return scores;
        };
        const greedy = referenceGreedy(SOURCES[0], {
          score: (source, output) => score(source, Int32Array.from(output), output.length),
          endTokenId: 0,
          limit: length,
        });
        for (const blockLength of [1, 3, length]) {
          const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score });
          const decoder = maskedDiffusion({ length, order: 'left-to-right', blockLength });
          const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
          const [best] = results[0].hypotheses;
          expect([...best.tokenIds]).toEqual(greedy.tokenIds);
          expect(best.logProb).toBeCloseTo(greedy.score, 3);
          if (blockLength > 1) continue;
          expect(model.forwards).toBe(greedy.tokenIds.length + (greedy.finishReason === 'end-token' ? 1 : 0));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("agrees with LLaDA's generation on random models", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
        async (seed, blocks, size, wanted, prompt) => {
          const score = randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [0] });
          const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score });
          const steps = blocks * Math.min(wanted, size);
          const length = prompt.length + blocks * size;
          const decoder = maskedDiffusion({ length, blockLength: size, iterations: steps });
          const request = { sources: SOURCES, outputPrefixes: [Int32Array.from(prompt)] };
          const { results, statistics } = await collect(decoder.decode(model, request));
          const expected = referenceLlada(
            { score, source: SOURCES[0], mask: MASK },
            prompt,
            blocks * size,
            blocks,
            steps,
          );
          expect([...results[0].hypotheses[0].tokenIds]).toEqual(expected);
          expect(statistics.forwards).toBe(steps);
        },
      ),
      { numRuns: 100 },
    );
  });

  describe('orders', () => {
    // Position 0 is surest of its best token, 1 furthest ahead of its second, 2 of the least entropy.
    const rows = [
      [0, 0.5, 0.48, 0.02, 0, 0, 0, 0, 0],
      [0, 0.44, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08],
      [0, 0.49, 0.49, 0.005, 0.005, 0.005, 0.005, 0, 0],
    ].map((probabilities) => probabilities.map(Math.log));
    rows[2] = [0, 0.498, 0.498, 0.004, 0, 0, 0, 0, 0].map(Math.log);
    const score: CanvasScore = (_, _canvas, position) => rows[position];

    it('rank positions by what they are named after', async () => {
      expect(await stepsOf(score, 3, { order: 'confidence' })).toEqual([[0], [2], [1]]);
      expect(await stepsOf(score, 3, { order: 'margin' })).toEqual([[1], [0], [2]]);
      expect(await stepsOf(score, 3, { order: 'entropy' })).toEqual([[2], [0], [1]]);
      expect(await stepsOf(score, 3, { order: 'left-to-right' })).toEqual([[0], [1], [2]]);
    });

    it('rank alike with and without a temperature that changes nothing', async () => {
      const cold = 1e-6;
      const sure: CanvasScore = (_, _canvas, position) =>
        Array.from({ length: VOCABULARY }, (_unused, id) => (id === 1 + position ? 3 + position : id === MASK ? 9 : 0));
      for (const order of ['confidence', 'margin'] as const) {
        expect(await stepsOf(sure, 4, { order, temperature: cold })).toEqual(await stepsOf(sure, 4, { order }));
      }
    });

    it('decide together what the entropy bound allows', async () => {
      const entropies = rows.map((row) =>
        row.reduce((sum, value) => (value === -Infinity ? sum : sum - value * Math.exp(value)), 0),
      );
      // In ascending order 2, 0, 1; the largest of those decided together does not count.
      const [, second] = [...entropies].sort((a, b) => a - b);
      const order = 'entropy-bounded';
      expect(await stepsOf(score, 3, { order, entropyBound: 0 })).toEqual([[2], [0], [1]]);
      expect(await stepsOf(score, 3, { order, entropyBound: entropies[2] - 1e-3 })).toEqual([[2], [0], [1]]);
      expect(await stepsOf(score, 3, { order, entropyBound: entropies[2] + 1e-3 })).toEqual([[0, 2], [1]]);
      expect(await stepsOf(score, 3, { order, entropyBound: entropies[2] + second + 1e-3 })).toEqual([[0, 1, 2]]);
    });

    it('at random depends on the seed alone', async () => {
      const orderOf = async (seed: number): Promise<string> => {
        const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score });
        await collect(maskedDiffusion({ length: 3, order: 'random' }).decode(model, { sources: SOURCES, seed }));
        return fillsOf(model).join();
      };
      const seen = await Promise.all(Array.from({ length: 60 }, (_, seed) => orderOf(seed)));
      expect(new Set(seen).size).toBe(6);
      expect(await orderOf(3)).toBe(seen[3]);
    });
  });

  it('draws tokens from the distribution at the temperature, never the mask', async () => {
    const logits = [0, 1, 2, 0.5, -1, 0, 0, 0, 3];
    const temperature = 0.6;
    const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score: () => logits });
    const expected = logSoftmax(logits.map((logit, id) => (id === MASK ? -Infinity : logit / temperature))).map(
      Math.exp,
    );
    const decoder = maskedDiffusion({ length: 1, temperature });
    const counts = new Float64Array(VOCABULARY);
    for (let seed = 0; seed < 4000; seed++) {
      const { results } = await collect(decoder.decode(model, { sources: SOURCES, seed }));
      const tokenId = results[0].hypotheses[0].tokenIds[0] ?? 0;
      counts[tokenId] = counts[tokenId] + 1;
    }
    for (const [tokenId, probability] of expected.entries()) {
      const deviation = Math.sqrt((probability * (1 - probability)) / 4000);
      expect(Math.abs(counts[tokenId] / 4000 - probability)).toBeLessThanOrEqual(4 * deviation);
    }
  });

  it('draws the most probable token at temperatures next to none', async () => {
    const model = scriptedCanvasModel({
      vocabularySize: 9,
      score: randomCanvasScore({ seed: 4, vocabularySize: 9 }),
      lengths: () => [0, 0, 0, 0, 1],
    });
    const request = { sources: [Int32Array.of(3), Int32Array.of(1, 2)] };
    const outputsAt = async (temperature: number) =>
      (await collect(maskedDiffusion({ temperature }).decode(model, request))).results.map(({ hypotheses }) => [
        ...hypotheses[0].tokenIds,
      ]);
    expect(await outputsAt(1e-300)).toEqual(await outputsAt(0));
  });

  it('draws anew for a position that was masked again', async () => {
    const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score: () => new Float32Array(VOCABULARY) });
    const decoder = maskedDiffusion({ length: 6, remask: 1, temperature: 1, order: 'left-to-right' });
    const drawn = Array.from({ length: 6 }, () => new Set<number>());
    for await (const event of decoder.decode(model, { sources: SOURCES, seed: 1 })) {
      if (event.type !== 'canvas-revise') continue;
      for (const [position, tokenId] of event.tokenIds.entries()) if (tokenId !== MASK) drawn[position].add(tokenId);
    }
    // The first position is decided in steps 1, 3, 5; of eight tokens the same would be drawn each time in 1 of 64 cases.
    expect(drawn[0].size).toBeGreaterThan(1);
  });

  it('fills in after a prefix', async () => {
    const model = tableModel({ ab__: 'g99 g99 c30 d40', ab_d: 'g99 g99 e50 g9' });
    const request = { sources: SOURCES, outputPrefixes: [toTokens('ab')] };
    const { results } = await collect(maskedDiffusion({ length: 4 }).decode(model, request));
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('abed');
    expect(results[0].hypotheses[0].logProb).toBeCloseTo(Math.log(0.4 * 0.5), 5);
  });

  it('refuses options out of range or in contradiction', () => {
    const bad: readonly MaskedDiffusionOptions[] = [
      { iterations: 0 },
      { length: 0 },
      { blockLength: 0 },
      { temperature: -1 },
      { temperature: Number.NaN },
      { remask: 1.1 },
      { order: 'best' as 'margin' },
      { entropyBound: 1 },
      { order: 'entropy-bounded' },
      { order: 'entropy-bounded', entropyBound: -1 },
      { order: 'entropy-bounded', entropyBound: 1, iterations: 4 },
      { order: 'entropy-bounded', entropyBound: 1, remask: 0.1 },
    ];
    for (const options of bad) {
      expect(() => maskedDiffusion(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
