import { type CtcLattice, collect, type ErrorCode, type TokenSource } from '@foretoken/core';
import type { LanguageModel, WeightedLanguageModel } from '@foretoken/language-models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { assertCode, ctcLattice, eventsOf, randomScriptedModel, scriptedLatticeModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { all, decode, hashModel, type Options, SOURCE } from './ctc-decode.js';
import { latticesModel, outputLogProb } from './ctc-oracle.js';

describe('ctcPrefixBeam', () => {
  it('reports frames and how sure each token is', async () => {
    const lattice = ctcLattice(
      [
        [0, 5, 0],
        [0, 4, 0],
        [5, 0, 0],
        [0, 0, 6],
      ],
      0,
      3,
    );
    const decoder = ctcPrefixBeam({ candidates: 3, alignments: true, hypotheses: 2 });
    const events = await eventsOf(decoder.decode(latticesModel([lattice], 3), { sources: [SOURCE], maxNewTokens: 1 }));
    const alignment = { firstFrames: Int32Array.of(0), lastFrames: Int32Array.of(1) };
    const logProbs = lattice.logProbs.slice(0, 1);
    expect(events[0]).toMatchObject({ type: 'canvas-revise', tokenIds: Int32Array.of(1), logProbs, alignment });
    expect(events.at(-1)).toMatchObject({ results: [{ hypotheses: [{ alignment: { ...alignment, logProbs } }, {}] }] });
    const plain = await eventsOf(ctcPrefixBeam().decode(latticesModel([lattice], 6), { sources: [SOURCE] }));
    expect(plain[0]).toMatchObject({ alignment: undefined });
    expect(plain[0]).toHaveProperty('logProbs');
  });

  it('outputs nothing for no frames', async () => {
    const nothing = ctcLattice([], 0, 1);
    expect(await decode(nothing, 3, all())).toMatchObject([{ tokenIds: new Int32Array(0), score: 0, logProb: 0 }]);
  });

  it('refuses lattices that break their contract', async () => {
    const good = ctcLattice(
      [
        [0, 1, 2],
        [2, 1, 0],
      ],
      0,
      2,
    );
    const at = (scores: Float32Array, cell: number, value: number) => scores.with(cell, value);
    const none = (scores: Float32Array) => scores.map(() => Number.NEGATIVE_INFINITY);
    const broken: readonly (readonly [ErrorCode, Partial<CtcLattice>, object])[] = [
      ['INVALID_ARGUMENT', { frames: 3 }, {}],
      ['INVALID_ARGUMENT', { frames: -1 }, {}],
      ['INVALID_ARGUMENT', { k: 0 }, {}],
      ['INVALID_ARGUMENT', { blankId: -1 }, {}],
      ['INVALID_ARGUMENT', { blankId: 0.5 }, {}],
      ['INVALID_ARGUMENT', { tokenIds: Int32Array.of(2, 3, 0, 1) }, {}],
      ['INVALID_ARGUMENT', { tokenIds: Int32Array.of(2, -1, 0, 1) }, {}],
      ['INVALID_ARGUMENT', { tokenIds: Int32Array.of(2, 2, 0, 1) }, {}],
      ['INVALID_SCORES', { logProbs: at(good.logProbs, 3, Number.NaN) }, { position: 1 }],
      ['INVALID_SCORES', { logProbs: at(good.logProbs, 0, Number.POSITIVE_INFINITY) }, { position: 0 }],
      ['INVALID_SCORES', { blankLogProbs: at(good.blankLogProbs, 1, Number.NaN) }, { position: 1 }],
      ['INVALID_SCORES', { blankLogProbs: at(good.blankLogProbs, 0, Number.POSITIVE_INFINITY) }, { position: 0 }],
      [
        'UNSATISFIABLE_CONSTRAINT',
        { logProbs: none(good.logProbs), blankLogProbs: none(good.blankLogProbs) },
        { position: 0 },
      ],
    ];
    for (const [code, change, details] of broken) {
      const lattices = [good, { ...good, ...change }];
      for (const decoder of [ctcGreedy(), ctcPrefixBeam({ candidates: 1 })]) {
        const events = decoder.decode(latticesModel(lattices, 3), { sources: [SOURCE, SOURCE] });
        await expect(collect(events)).rejects.toMatchObject({ code, details: { row: 1, ...details } });
      }
    }
    // A blank outside the vocabulary is no token; ids of candidates that were ruled out do not matter.
    const ruledOut = good.logProbs.map((logProb, cell) => (cell === 1 ? Number.NEGATIVE_INFINITY : logProb));
    const odd = { ...good, blankId: 7, tokenIds: Int32Array.of(2, 9, 0, 1), logProbs: ruledOut };
    expect((await decode(odd, 3))[0]?.tokenIds.length).toBeGreaterThan(0);
    const silent = { ...latticesModel([good], 3), emit: async () => [] };
    await assertCode(
      () => collect(ctcPrefixBeam({ candidates: 1 }).decode(silent, { sources: [SOURCE] })),
      'INVALID_ARGUMENT',
    );
  });

  it('refuses options that are out of range or contradict one another', () => {
    const wrong: Options[] = [
      { beamSize: 0 },
      { candidates: 0 },
      { hypotheses: 17 },
      { minTokenLogProb: 1 },
      { beamThreshold: -1 },
      { lengthBonus: Number.NaN },
      { languageModel: { weight: 1 } as WeightedLanguageModel },
      { languageModel: hashModel as unknown as WeightedLanguageModel },
      { languageModel: { model: hashModel, weight: -1 } },
      { noRepeatNgramSize: 0 },
      { hotWords: [{ tokenIds: [], bonus: 1 }] },
      { hotWords: [{ tokenIds: [1], bonus: -1 }] },
      { hotWords: [1, 2].map((bonus) => ({ tokenIds: [1], bonus })) },
      { rescoring: { model: randomScriptedModel({ seed: 1, vocabularySize: 3 }), weight: -1 } },
    ];
    for (const options of wrong) {
      expect(() => ctcPrefixBeam(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });

  it('refuses what does not fit the model, before the forward', async () => {
    const model = { ...latticesModel([], 3, 0), emit: () => Promise.reject(new Error('the model was asked')) };
    const run = (options: Options) => () =>
      collect(ctcPrefixBeam({ candidates: 1, ...options }).decode(model, { sources: [SOURCE] }));
    const few = { ...model, supports: { ...model.supports, maxCandidates: 2 } };
    const decoded = () => collect(ctcPrefixBeam({ candidates: 4 }).decode(few, { sources: [SOURCE] }));
    await assertCode(decoded, 'UNSUPPORTED_CAPABILITY');
    await assertCode(run({ hotWords: [{ tokenIds: [3], bonus: 1 }] }), 'INVALID_ARGUMENT');
    const other = randomScriptedModel({ seed: 1, vocabularySize: 4 });
    await assertCode(run({ rescoring: { model: other } }), 'INVALID_ARGUMENT');
    const chains = randomScriptedModel({ seed: 1, vocabularySize: 3, supports: { branching: false } });
    await assertCode(run({ rescoring: { model: chains } }), 'UNSUPPORTED_CAPABILITY');
  });

  it('names by code what leaves no output, and a language model without numbers', async () => {
    const lattice = ctcLattice(
      [
        [-50, 1, 0],
        [-50, 1, 0],
      ],
      0,
      3,
    );
    const never: LanguageModel = { ...hashModel, score: () => Number.NEGATIVE_INFINITY } as LanguageModel;
    const blankless = { ...lattice, blankLogProbs: lattice.blankLogProbs.map(() => Number.NEGATIVE_INFINITY) };
    await assertCode(
      () => decode({ ...blankless, k: 3 }, 3, { languageModel: { model: never } }),
      'UNSATISFIABLE_CONSTRAINT',
    );
    const broken: LanguageModel = { ...hashModel, score: () => Number.NaN } as LanguageModel;
    await assertCode(() => decode(lattice, 3, { languageModel: { model: broken } }), 'INVALID_SCORES');
    expect(await decode(lattice, 3, { languageModel: { model: broken, weight: 0 } })).toHaveLength(1);
  });

  it('survives what doubles cannot hold: thousands of frames, and log-probabilities of any size', async () => {
    const frames = Array.from({ length: 900 }, (_, frame) =>
      Array.from({ length: 12 }, (_, label) => ((frame * 7 + label * 5) % 11) / 9),
    );
    const long = ctcLattice(frames, 0, 12);
    const [best] = await decode(long, 12, { beamSize: 4 });
    expect(best?.score).toBeLessThan(-800);
    expect(best?.score).toBeCloseTo(outputLogProb(long, Array.from(best?.tokenIds ?? [])), 6);
    const steep = ctcLattice(
      [
        [0, 5000, -5000],
        [5000, 0, -5000],
      ],
      0,
      3,
    );
    const found = await decode(steep, 3, all());
    expect(found[0]?.tokenIds).toEqual(Int32Array.of(1));
    expect(found.at(-1)?.score).toBeLessThan(-9999);
  });

  it('asks the model once, for as many candidates as it searches', async () => {
    const asked: (number | undefined)[] = [];
    const inner = scriptedLatticeModel({ vocabularySize: 8, blankId: 7, frames: () => [[1, 2, 3, 4, 5, 6, 7, 8]] });
    const model = {
      ...inner,
      emit: (sources: readonly TokenSource[], options = {}) => {
        asked.push((options as { k?: number }).k);
        return inner.emit(sources, options);
      },
    };
    await collect(ctcPrefixBeam().decode(model, { sources: [SOURCE, SOURCE] }));
    await collect(ctcPrefixBeam({ candidates: 8 }).decode(model, { sources: [SOURCE] }));
    await collect(ctcPrefixBeam({ candidates: 12 }).decode(model, { sources: [SOURCE] }));
    // No more than there are labels.
    expect(asked).toEqual([5, 8, 8]);
  });
});
