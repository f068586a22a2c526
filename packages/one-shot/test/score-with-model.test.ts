import { type AutoregressiveModel, ForetokenError, type NewNodes, type TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import { scoreWithModel } from '@foretoken/one-shot';
import { assertCode, logSoftmax, randomLogits, randomScriptedModel, scriptedModel } from '@foretoken/testkit';
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
    (sum, tokenId, position) => sum + logSoftmax(score(source, candidate.slice(0, position)))[tokenId],
    0,
  );
}

/** Counts what is computed and what is released. */
function counted(inner: AutoregressiveModel<TokenSource>, onExtend: (nodes: NewNodes) => void = () => {}) {
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
          onExtend(nodes);
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

  it('reads of a prompt what is not cached, with the same scores', async () => {
    const candidates = [
      [
        [1, 2, 3],
        [1, 2, 4],
      ],
      [[2], []],
    ];
    const found = async (cached: number) => {
      const score = randomLogits(OPTIONS);
      const { model, counts } = counted(
        scriptedModel({ vocabularySize: VOCABULARY, endTokenId: END, score, prefix: [5, 2, 4, 1], cached }),
      );
      return { scores: await scoreWithModel(model, SOURCES, candidates), ...counts };
    };
    const whole = await found(0);
    for (const cached of [1, 3]) {
      const spared = cached * SOURCES.length;
      expect(await found(cached)).toEqual({ ...whole, nodes: whole.nodes - spared });
    }
  });

  it('takes several forwards where the candidates are many or long, each of bounded size', async () => {
    const sequence = (seed: number, length: number): number[] =>
      Array.from(
        { length },
        (_, at) => 1 + (Math.floor(1e4 * Math.abs(Math.sin(97 * seed + 31 * at))) % (VOCABULARY - 1)),
      );
    const cases: readonly (readonly [rows: number, candidates: number, length: number])[] = [
      [150, 2, 20], // many rows
      [2, 100, 45], // more candidates than a row's forward has room for
      [1, 4, 1100], // candidates that are each too long
    ];
    for (const [count, candidates, length] of cases) {
      const sizes: number[] = [];
      const { model, counts } = counted(randomScriptedModel({ ...OPTIONS, maxLength: 2000 }), (nodes) => {
        const widths = new Map<number, number>();
        for (const row of nodes.row) widths.set(row, (widths.get(row) ?? 0) + 1);
        sizes.push(widths.size * Math.max(...widths.values()));
      });
      const sources = Array.from({ length: count }, (_, row) => Int32Array.of(row + 1));
      // One row has nothing to score, and candidates differ in length.
      const rows = sources.map((_, row) =>
        row === 1
          ? []
          : Array.from({ length: candidates }, (_unused, index) => sequence(row * 100 + index, length - (index % 5))),
      );
      const encoding = { rows: count, dispose: () => {} };
      const found = await scoreWithModel(model, sources, rows, { encoding });
      expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.max(MAX_FORWARD_CELLS, length + 1));
      expect(sizes.length).toBeGreaterThan(1);
      expect([counts.open, counts.extends]).toEqual([0, sizes.length]);
      for (const row of [0, 1, count - 1]) {
        expect(found[row]?.length).toBe(rows[row]?.length);
        for (const index of [0, candidates - 1]) {
          const candidate = rows[row]?.[index];
          if (candidate === undefined) continue;
          const expected = reference(sources[row] as TokenSource, candidate);
          expect(Math.abs(found[row]?.[index] - expected)).toBeLessThan(1e-5 * candidate.length);
        }
      }
    }
  });

  it('names row and position of scores that are not numbers', async () => {
    for (const kinds of [['logProbs'], ['logits']] as const) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const score = (source: TokenSource, output: readonly number[]): Float32Array =>
          new Float32Array(VOCABULARY).fill(source[0] === 4 && output.length === 2 ? bad : 0);
        const model = scriptedModel({ vocabularySize: VOCABULARY, score, supports: { outputs: kinds } });
        await expect(scoreWithModel(model, SOURCES, [[[1, 2, 3]], [[1, 2, 3]]])).rejects.toMatchObject({
          code: 'INVALID_SCORES',
          details: { row: 1, position: 2 },
        });
      }
    }
  });

  it('gives what is impossible no probability, also where nothing is possible', async () => {
    const score = (_: TokenSource, output: readonly number[]): Float32Array =>
      new Float32Array(VOCABULARY).fill(output.length === 2 ? Number.NEGATIVE_INFINITY : 0);
    for (const kinds of [['logProbs'], ['logits']] as const) {
      const model = scriptedModel({ vocabularySize: VOCABULARY, score, supports: { outputs: kinds } });
      const [scores] = await scoreWithModel(model, SOURCES.slice(0, 1), [[[1], [1, 2], [1, 2, 3]]]);
      expect([...(scores ?? [])].map(Number.isFinite)).toEqual([true, false, false]);
      expect(scores?.[2]).toBe(Number.NEGATIVE_INFINITY);
    }
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

  it.each<readonly [string, readonly unknown[], string]>([
    ['no model', [undefined, SOURCES, [[], []]], 'UNSUPPORTED_CAPABILITY'],
    ['another kind of model', [{ emit: () => [] }, SOURCES, [[], []]], 'UNSUPPORTED_CAPABILITY'],
    [
      'a vocabulary that is none',
      [{ ...randomScriptedModel(OPTIONS), vocabulary: null }, SOURCES, [[], []]],
      'INVALID_ARGUMENT',
    ],
    ['sources that are no array', [randomScriptedModel(OPTIONS), 'ab', [[], []]], 'INVALID_ARGUMENT'],
    ['no rows', [randomScriptedModel(OPTIONS), SOURCES, undefined], 'INVALID_ARGUMENT'],
    ['rows of numbers', [randomScriptedModel(OPTIONS), SOURCES, [[1], [2]]], 'INVALID_ARGUMENT'],
    ['a hole for a row', [randomScriptedModel(OPTIONS), SOURCES, new Array(2)], 'INVALID_ARGUMENT'],
    ['a text as a candidate', [randomScriptedModel(OPTIONS), SOURCES, [['1'], []]], 'INVALID_ARGUMENT'],
    ['a symbol as a token', [randomScriptedModel(OPTIONS), SOURCES, [[[Symbol('odd')]], []]], 'INVALID_ARGUMENT'],
    ['unknown options', [randomScriptedModel(OPTIONS), SOURCES, [[], []], { seed: 1 }], 'INVALID_ARGUMENT'],
    ['null as options', [randomScriptedModel(OPTIONS), SOURCES, [[], []], null], 'INVALID_ARGUMENT'],
  ])('refuses %s by code', async (_, call, code) => {
    const score = scoreWithModel as (...call: readonly unknown[]) => Promise<unknown>;
    await expect(score(...call)).rejects.toMatchObject({ code });
  });
});
