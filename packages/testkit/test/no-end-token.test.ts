import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import {
  type AutoregressiveModel,
  type CanvasModel,
  collect,
  type DagLattice,
  type DecodeRequest,
  type Decoder,
  type EditModel,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import {
  canvasDisagreement,
  ctcGreedy,
  ctcPrefixBeam,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagSampling,
  dagViterbi,
  nat,
} from '@foretoken/one-shot';
import {
  easyFirst,
  insertion,
  levenshtein,
  maskCtc,
  maskedDiffusion,
  maskPredict,
  skeletonFirst,
} from '@foretoken/refine';
import { copyDrafter, latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import {
  assertCode,
  logSoftmax,
  randomLogits,
  scriptedCanvasModel,
  scriptedLatticeModel,
  scriptedModel,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const V = 7;
const SOURCES = [Int32Array.of(1, 2, 3), Int32Array.of(4), Int32Array.of(2, 2, 5, 1)];
const NONE = -1;
const IMPOSSIBLE = Number.NEGATIVE_INFINITY;

/**
 * Models of one behaviour in two vocabularies: without an end token, and with one more token, the end, which is impossible.
 * What a strategy makes of both must be the same.
 */
function models(seed: number, ending: boolean) {
  const scores = randomLogits({ seed, vocabularySize: V, endTokenId: NONE });
  const size = ending ? V + 1 : V;
  const widened = (some: ArrayLike<number>): number[] =>
    ending ? [...Array.from(some), IMPOSSIBLE] : Array.from(some);
  const endTokenId = ending ? V : NONE;
  const vocabulary = ending ? { size, endTokenId } : { size };
  const hidden = randomLogits({ seed: seed + 1, vocabularySize: 4, endTokenId: NONE });
  const autoregressive: AutoregressiveModel<TokenSource> = scriptedModel({
    vocabularySize: size,
    endTokenId,
    maxLength: 12,
    score: (source, output) => widened(scores(source, output)),
    state: hidden,
  });
  const canvas: CanvasModel<TokenSource> = scriptedCanvasModel({
    vocabularySize: size,
    endTokenId,
    maskTokenId: 6,
    score: (source, tokenIds, position) => widened(scores(source, [...tokenIds, position])),
    lengths: () => logSoftmax([IMPOSSIBLE, IMPOSSIBLE, 0.2, 0.5, 0.1, 0.3, 0.4]),
  });
  const lattice: LatticeModel<TokenSource> = scriptedLatticeModel({
    vocabularySize: size,
    endTokenId,
    blankId: 0,
    frames: (source) => Array.from({ length: 5 }, (_, frame) => widened(scores(source, [frame]))),
    maxCandidates: V,
  });
  const dag: LatticeModel<TokenSource> = {
    vocabulary,
    supports: { kind: 'dag', maxCandidates: V },
    emit: async (sources, { k = 1 } = {}) =>
      sources.map((source): DagLattice => {
        const vertices = 5;
        const best = Array.from({ length: vertices }, (_, vertex) =>
          Array.from(logSoftmax(scores(source, [vertex])), (logProb, tokenId) => ({ tokenId, logProb }))
            .sort((a, b) => b.logProb - a.logProb)
            .slice(0, k),
        ).flat();
        const edges = Array.from({ length: vertices }, (_, from) => [
          ...logSoftmax(
            scores(source, [0, from]).length > 0 ? edgeScores(scores(source, [0, from]), from, vertices) : [],
          ),
        ]).flat();
        return {
          kind: 'dag',
          vertices,
          k,
          tokenIds: Int32Array.from(best, ({ tokenId }) => tokenId),
          logProbs: Float32Array.from(best, ({ logProb }) => logProb),
          transitions: Float32Array.from(edges, (edge) => (Number.isNaN(edge) ? IMPOSSIBLE : edge)),
        };
      }),
  };
  return { autoregressive, canvas, lattice, dag, vocabulary };
}

function edgeScores(some: ArrayLike<number>, from: number, vertices: number): number[] {
  return Array.from({ length: vertices }, (_, to) => (to > from ? some[to] : IMPOSSIBLE));
}

type Models = ReturnType<typeof models>;
type Way = (models: Models) => (request: DecodeRequest<TokenSource>) => ReturnType<typeof collect>;

const on =
  <Kind extends 'autoregressive' | 'canvas' | 'lattice' | 'dag'>(
    kind: Kind,
    make: (models: Models) => Decoder<Models[Kind]>,
    more = {},
  ): Way =>
  (all) =>
  (request) =>
    collect(make(all).decode(all[kind], { ...request, ...more } as never));

const WAYS: Readonly<Record<string, Way>> = {
  greedy: on('autoregressive', () => greedy()),
  'greedy with rules and scores': on(
    'autoregressive',
    () => greedy({ noRepeatNgramSize: 2, scores: true, alternatives: 2 }),
    { minNewTokens: 3 },
  ),
  sampling: on('autoregressive', () => sampling({ temperature: 0.8 })),
  'sampling among few': on('autoregressive', () => sampling({ topK: 3, hypotheses: 2, scores: true })),
  'sampling by mirostat': on('autoregressive', () => sampling({ mirostat: { surprise: 1 } })),
  beamSearch: on('autoregressive', () => beamSearch({ beamSize: 3, hypotheses: 3 })),
  'beamSearch with rules': on('autoregressive', () => beamSearch({ beamSize: 3, repetitionPenalty: 1.2 }), {
    minNewTokens: 2,
  }),
  'beamSearch with phrases': on('autoregressive', () => beamSearch({ beamSize: 4, phrases: [Int32Array.of(4)] })),
  'diverse beamSearch': on('autoregressive', () => beamSearch({ beamSize: 4, groups: 2, diversityPenalty: 0.5 })),
  stochasticBeam: on('autoregressive', () => stochasticBeam({ beamSize: 3 })),
  contrastiveSearch: on('autoregressive', () => contrastiveSearch()),
  'speculative, n-grams': on('autoregressive', ({ vocabulary }) =>
    speculative({ drafter: ngramDrafter({ vocabulary }) }),
  ),
  'speculative, copies': on('autoregressive', ({ vocabulary }) =>
    speculative({ drafter: copyDrafter({ vocabulary }) }),
  ),
  'speculative, a lattice': on('autoregressive', ({ lattice }) =>
    speculative({ drafter: latticeDrafter({ model: lattice }) }),
  ),
  ctcGreedy: on('lattice', () => ctcGreedy({ alignments: true })),
  ctcPrefixBeam: on('lattice', () => ctcPrefixBeam({ alignments: true, hypotheses: 3 })),
  'ctcPrefixBeam, rescored': on('lattice', ({ autoregressive }) =>
    ctcPrefixBeam({ rescoring: { model: autoregressive } }),
  ),
  dagGreedy: on('dag', () => dagGreedy()),
  dagLookahead: on('dag', () => dagLookahead()),
  dagViterbi: on('dag', () => dagViterbi()),
  dagJointViterbi: on('dag', () => dagJointViterbi()),
  dagSampling: on('dag', () => dagSampling({ candidates: V })),
  dagBeam: on('dag', () => dagBeam({ candidates: V, hypotheses: 3 })),
  nat: on('canvas', () => nat({ lengthBeam: 2 })),
  'nat, deduplicated': on('canvas', () => nat({ deduplicate: true })),
  'nat, rescored': on('canvas', ({ autoregressive }) => nat({ lengthBeam: 3, rescoring: { model: autoregressive } })),
  maskPredict: on('canvas', () => maskPredict()),
  easyFirst: on('canvas', () => easyFirst()),
  skeletonFirst: on('canvas', () => skeletonFirst()),
  maskedDiffusion: on('canvas', () => maskedDiffusion({ temperature: 1 })),
  maskCtc: on('canvas', ({ lattice }) => maskCtc({ initial: { lattice, search: ctcGreedy() } })),
};

/** Of rescoring: the end token is scored where there is one, so only what is chosen among equals by length is the same. */
const SCORED_WITH_END = ['ctcPrefixBeam, rescored', 'nat, rescored'];

describe('models without an end token', () => {
  it.each(Object.entries(WAYS))(
    '%s ends by limit, stop or canvas, as where the end is impossible',
    async (name, way) => {
      for (const seed of [1, 2, 3, 4, 5]) {
        for (const more of [
          {},
          { maxNewTokens: 4 },
          { maxNewTokens: 6, stopSequences: [Int32Array.of(3), Int32Array.of(1, 2)] },
        ]) {
          const request = { sources: SOURCES, seed, ...more };
          const { results } = await way(models(seed, false))(request);
          expect(results).toHaveLength(SOURCES.length);
          for (const { hypotheses } of results) {
            for (const { finishReason, tokenIds, score = 0 } of hypotheses) {
              expect(['length', 'stop-sequence', 'complete']).toContain(finishReason);
              expect(tokenIds.every((tokenId) => tokenId >= 0 && tokenId < V)).toBe(true);
              expect(Number.isFinite(score)).toBe(true);
            }
          }
          if (SCORED_WITH_END.includes(name)) continue;
          expect(results).toEqual((await way(models(seed, true))(request)).results);
        }
      }
    },
  );

  it('are refused by edits, whose canvases end with it, before any compute', async () => {
    let opened = 0;
    const model = {
      vocabulary: { size: V },
      startTokenId: 0,
      placeholderTokenId: 1,
      maxLength: 8,
      open: async () => {
        opened++;
        throw new Error('opened');
      },
    } as unknown as EditModel<TokenSource>;
    for (const decoder of [levenshtein(), insertion()]) {
      await assertCode(() => collect(decoder.decode(model, { sources: SOURCES })), 'UNSUPPORTED_CAPABILITY');
    }
    expect(opened).toBe(0);
  });

  it('are refused where an end token is asked for', async () => {
    const { canvas } = models(1, false);
    const outputs = SOURCES.map(() => Int32Array.of(1, 2));
    await assertCode(
      () => canvasDisagreement(canvas, SOURCES, outputs, { withEndToken: true }),
      'UNSUPPORTED_CAPABILITY',
    );
    expect((await canvasDisagreement(canvas, SOURCES, outputs)).positions).toBe(6);
  });

  it('need a drafter and a second model that have none either', async () => {
    const [without, ended] = [models(1, false), models(1, true)];
    const drafter = ngramDrafter({ vocabulary: { size: V, endTokenId: 0 } });
    const request = { sources: SOURCES };
    await assertCode(
      () => collect(speculative({ drafter }).decode(without.autoregressive, request)),
      'UNSUPPORTED_CAPABILITY',
    );
    const rescored = ctcPrefixBeam({ rescoring: { model: ended.autoregressive } });
    await assertCode(() => collect(rescored.decode(without.lattice, request)), 'INVALID_ARGUMENT');
  });

  it.each([-1, V, 1.5, '0', null])('are not told by an end token of %s', async (endTokenId) => {
    const { autoregressive } = models(1, false);
    const vocabulary = { size: V, endTokenId: endTokenId as number };
    const model = Object.create(autoregressive, { vocabulary: { value: vocabulary } }) as typeof autoregressive;
    const supported = { ...autoregressive, vocabulary, open: model.open };
    await assertCode(() => collect(greedy().decode(supported, { sources: SOURCES })), 'INVALID_ARGUMENT');
  });
});
