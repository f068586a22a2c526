import { type AutoregressiveModel, ForetokenError, type TokenSource } from '@foretoken/core';
import { scoreWithModel } from '@foretoken/one-shot';
import { assertCode, logSoftmax, randomLogits, randomScriptedModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const VOCABULARY = 6;
const END = 0;
const SOURCES = [Int32Array.of(2, 3), Int32Array.of(4)];
const OPTIONS = { seed: 3, vocabularySize: VOCABULARY, endTokenId: END };

const anyCandidates = fc.array(fc.array(fc.integer({ min: 1, max: VOCABULARY - 1 }), { maxLength: 5 }), {
  maxLength: 6,
});

/** Token by token, from the definition of the model. */
function reference(source: TokenSource, candidate: readonly number[]): number {
  const score = randomLogits(OPTIONS);
  return [...candidate, END].reduce(
    (sum, tokenId, position) => sum + (logSoftmax(score(source, candidate.slice(0, position)))[tokenId] as number),
    0,
  );
}

/** Counts what is computed and what is released. */
function counted(inner: AutoregressiveModel<TokenSource>) {
  const counts = { extends: 0, nodes: 0, open: 0 };
  const model: AutoregressiveModel<TokenSource> = {
    ...inner,
    async open(sources, options) {
      const forest = await inner.open(sources, options);
      counts.open++;
      return {
        rows: forest.rows,
        start: (row) => forest.start(row),
        extend: (nodes, output, signal) => {
          counts.extends++;
          counts.nodes += nodes.tokenId.length;
          return forest.extend(nodes, output, signal);
        },
        retain: (row, leaves) => forest.retain(row, leaves),
        finish: (row) => forest.finish(row),
        [Symbol.asyncDispose]: async () => {
          counts.open--;
          await forest[Symbol.asyncDispose]();
        },
      };
    },
  };
  return { model, counts };
}

describe('scoreWithModel', () => {
  it('equals the sum of next-token log-probabilities, in one forward', async () => {
    const outputs = fc.constantFrom(['logProbs'] as const, ['logits'] as const);
    const prefix = fc.constantFrom([1], [5, 2, 1]);
    await fc.assert(
      fc.asyncProperty(anyCandidates, anyCandidates, outputs, prefix, async (one, other, kinds, begin) => {
        const { model, counts } = counted(
          randomScriptedModel({ ...OPTIONS, supports: { outputs: kinds }, prefix: begin }),
        );
        const found = await scoreWithModel(model, SOURCES, [one, other]);
        for (const [row, candidates] of [one, other].entries()) {
          expect(found[row]?.length).toBe(candidates.length);
          for (const [index, candidate] of candidates.entries()) {
            expect(found[row]?.[index]).toBeCloseTo(reference(SOURCES[row] as TokenSource, candidate), 4);
          }
        }
        expect(counts.extends).toBe(one.length + other.length > 0 ? 1 : 0);
        expect(counts.open).toBe(0);
      }),
    );
  });

  it('computes what candidates share once', async () => {
    const { model, counts } = counted(randomScriptedModel(OPTIONS));
    await scoreWithModel(model, SOURCES.slice(0, 1), [[[1, 2, 3], [1, 2, 4], [1, 2], [], [1, 2, 3]]]);
    expect(counts.nodes).toBe(1 + 4);
  });

  it('needs no branching where candidates do not branch', async () => {
    const model = randomScriptedModel({ ...OPTIONS, supports: { branching: false } });
    const [scores] = await scoreWithModel(model, SOURCES.slice(0, 1), [
      [
        [1, 2],
        [1, 2, 3],
      ],
    ]);
    expect(scores?.[1]).toBeCloseTo(reference(SOURCES[0] as TokenSource, [1, 2, 3]), 4);
    await assertCode(() => scoreWithModel(model, SOURCES.slice(0, 1), [[[1], [2]]]), 'UNSUPPORTED_CAPABILITY');
  });

  it('refuses by code what cannot be scored, and releases what it opened', async () => {
    const { model, counts } = counted(randomScriptedModel({ ...OPTIONS, maxLength: 4 }));
    const run =
      (rows: readonly (readonly number[][])[], on = model) =>
      () =>
        scoreWithModel(on, SOURCES, rows);
    await assertCode(run([[[1]]]), 'INVALID_ARGUMENT');
    await assertCode(run([[[1]], [[VOCABULARY]]]), 'INVALID_ARGUMENT');
    await assertCode(run([[[1, END]], []]), 'INVALID_ARGUMENT');
    await assertCode(run([[], [[1.5]]]), 'INVALID_ARGUMENT');
    await assertCode(run([[[1, 1, 1, 1]], []]), 'LENGTH_LIMIT');
    expect(await scoreWithModel(model, SOURCES, [[[1, 1, 1]], []])).toHaveLength(2);
    const argmax = randomScriptedModel({ ...OPTIONS, supports: { outputs: ['argmax'] } });
    await assertCode(run([[[1]], []], argmax), 'UNSUPPORTED_CAPABILITY');
    const signal = AbortSignal.abort(new ForetokenError('DISPOSED', 'enough'));
    await expect(scoreWithModel(model, SOURCES, [[], []], { signal })).rejects.toThrow('enough');
    expect(counts.open).toBe(0);
  });
});
