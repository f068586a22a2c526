import {
  collect,
  type DagLattice,
  type DecodeRequest,
  type Decoder,
  type ErrorCode,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import { cutOutput } from '@foretoken/core/kit';
import { NgramModel } from '@foretoken/language-models';
import { dagBeam, dagGreedy, dagJointViterbi, dagLookahead, dagSampling, dagViterbi } from '@foretoken/one-shot';
import { assertCode, assertStream, eventsOf, outputsOf } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { type DagModel, dagLattice, randomDag, scriptedDagModel } from './dag-scripted.js';

const VOCABULARY = 7;
const END = 0;
const SOURCES = [Int32Array.of(5, 2), Int32Array.of(3), Int32Array.of(6, 6, 1), Int32Array.of(4)];

type DagDecoder = Decoder<LatticeModel<TokenSource>>;

const DECODERS: readonly (() => DagDecoder)[] = [
  () => dagGreedy(),
  () => dagLookahead(),
  () => dagViterbi(),
  () => dagJointViterbi(),
  () => dagJointViterbi({ length: 3 }),
  () => dagBeam({ hypotheses: 3 }),
  () => dagSampling({ hypotheses: 2 }),
];

/** DAGs of different sizes that depend on the source alone; the end token is possible, but never likely. */
function dagModel(endTokenId = END): DagModel {
  const dag = (source: TokenSource) => {
    const { emissions, edges } = randomDag(
      source.reduce((sum, id) => 31 * sum + id, 7),
      5 + 3 * source.length,
      VOCABULARY,
    );
    return {
      emissions: emissions.map((scores) => Float32Array.from(scores, (score, id) => (id === END ? -9 : score))),
      edges,
    };
  };
  return scriptedDagModel({ vocabularySize: VOCABULARY, endTokenId, dag });
}

describe.each([dagViterbi, dagJointViterbi])('lengths of the request, %o', (create) => {
  const decode = async (length: number | undefined, lengths?: number | readonly number[]) =>
    outputsOf(
      assertStream(
        await eventsOf(create<TokenSource>({ length }).decode(dagModel(), { sources: SOURCES, lengths })),
        SOURCES.length,
        END,
      ),
    );

  it('are those of the rows, or one for all, as with the option', async () => {
    const lengths = SOURCES.map((_, row) => 2 + (row % 3));
    const together = await decode(undefined, lengths);
    for (const [row, length] of lengths.entries()) expect(together[row]).toEqual((await decode(length))[row]);
    expect(await decode(undefined, 3)).toEqual(await decode(3));
  });
});

describe.each(DECODERS.map((create) => [create().name, create] as const))('%s', (_name, create) => {
  const decode = async (request: DecodeRequest<TokenSource>, model = dagModel()) =>
    assertStream(await eventsOf(create().decode(model, request)), request.sources.length, END);

  it('streams commits that add up to the best hypothesis, after one forward a batch', async () => {
    const model = dagModel();
    const { statistics, results } = await decode({ sources: SOURCES }, model);
    const { requires } = create();
    expect(model.asked).toEqual([requires.model === 'lattice' ? requires.candidates : undefined]);
    expect(statistics).toMatchObject({ forwards: 1 });
    for (const { hypotheses } of results) expect(hypotheses[0]?.finishReason).toBe('complete');
  });

  it('shows in its canvas exactly what it commits', async () => {
    const events = await eventsOf(create().decode(dagModel(), { sources: SOURCES, maxNewTokens: 2 }));
    const canvases = events.filter((event) => event.type === 'canvas-revise');
    expect(canvases.map(({ row }) => row)).toEqual([0, 1, 2, 3]);
    for (const { row, tokenIds, logProbs } of canvases) {
      expect(events).toContainEqual(expect.objectContaining({ type: 'token-commit', row, position: 0, tokenIds }));
      if (logProbs !== undefined) expect(logProbs.length).toBe(tokenIds.length);
    }
  });

  it('gives a row of a batch what it gives the row alone', async () => {
    // The length asked for may depend on the row, so each row is decoded in its place beside copies of itself.
    const together = outputsOf(await decode({ sources: SOURCES, seed: 9 }));
    for (const [row, source] of SOURCES.entries()) {
      const alone = outputsOf(await decode({ sources: SOURCES.map(() => source), seed: 9 }));
      expect(alone[row]).toEqual(together[row]);
    }
    expect(outputsOf(await decode({ sources: SOURCES.slice(0, 1), seed: 9 }))).toEqual([together[0]]);
  });

  it('cuts at the limit, an end token, and after a stop sequence, exactly', async () => {
    const full = outputsOf(await decode({ sources: SOURCES }));
    const third = full[0]?.[2];
    const textOf = (tokenIds: Int32Array) => tokenIds.join('');
    const pair = `${full[0]?.[0]}${full[0]?.[1]}`;
    const requests = [
      { maxNewTokens: 2 },
      { stopSequences: [Int32Array.of(third)] },
      { stopStrings: { strings: [pair], textOf } },
    ];
    const reasons = new Set<string | undefined>();
    for (const [endTokenId, cuts] of [[END, requests] as const, [third, [{}]] as const]) {
      for (const request of cuts) {
        const events = create().decode(dagModel(endTokenId), { sources: SOURCES, ...request });
        const { results } = await collect(events);
        for (const [row, output] of full.entries()) {
          const wanted = cutOutput(output, endTokenId, request);
          const [found] = results[row]?.hypotheses ?? [];
          // Of all that a beam finds, the best is another one once outputs that are cut to the same are added up.
          const again = cutOutput(found?.tokenIds ?? [], endTokenId, request);
          expect(again.tokenIds).toEqual(found?.tokenIds);
          if (create().name !== 'dag-beam') expect(found).toMatchObject(wanted);
          reasons.add(found?.finishReason);
        }
      }
    }
    for (const reason of ['length', 'stop-sequence', 'stop-string', 'end-token']) expect(reasons).toContain(reason);
  });

  it('leaves a start token out of the output', async () => {
    const inner = dagModel();
    const dag = randomDag(8, 6, VOCABULARY);
    const only = Float32Array.from({ length: VOCABULARY }, (_, id) => (id === 6 ? 0 : -50));
    const model = scriptedDagModel({
      vocabularySize: VOCABULARY,
      endTokenId: inner.vocabulary.endTokenId,
      dag: () => ({ ...dag, emissions: [only, ...dag.emissions.slice(1)] }),
    });
    const make = {
      'dag-greedy': dagGreedy,
      'dag-beam': dagBeam,
      'dag-sampling': dagSampling,
      'dag-viterbi': dagViterbi,
    };
    const decoder = (make[create().name as keyof typeof make] ?? dagLookahead) as typeof dagGreedy;
    const whole = await collect(decoder().decode(model, { sources: SOURCES }));
    const without = await collect(decoder({ startTokenId: 6 }).decode(model, { sources: SOURCES }));
    expect(outputsOf(whole)[0]?.[0]).toBe(6);
    expect(outputsOf(without)).toEqual(outputsOf(whole).map((output) => output.slice(1)));
    expect(without.results[0]?.hypotheses[0]?.score).toBe(whole.results[0]?.hypotheses[0]?.score);
  });

  it('refuses bad requests and unsuitable models by code, before any compute', async () => {
    const model: DagModel = { ...dagModel(), emit: () => Promise.reject(new Error('the model was asked')) };
    const run =
      (request: Partial<DecodeRequest<TokenSource>>, on: DagModel = model) =>
      () =>
        eventsOf(create().decode(on, { sources: SOURCES, ...request }));
    await assertCode(run({ sources: [] }), 'EMPTY_SOURCE');
    await assertCode(run({ maxNewTokens: 0 }), 'INVALID_ARGUMENT');
    await assertCode(run({ seed: 1.5 }), 'INVALID_ARGUMENT');
    const outputPrefixes = SOURCES.map(() => Int32Array.of(1));
    await assertCode(run({ outputPrefixes }), 'UNSUPPORTED_CAPABILITY');
    await assertCode(run({}, { ...model, supports: { kind: 'ctc', maxCandidates: 9 } }), 'UNSUPPORTED_CAPABILITY');
    await assertCode(run({}, { ...model, supports: { kind: 'dag', maxCandidates: 0 } }), 'UNSUPPORTED_CAPABILITY');
    await expect(run({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  it('refuses lattices that break their contract', async () => {
    const good = dagLattice(randomDag(1, 5, VOCABULARY), 5);
    const no = Number.NEGATIVE_INFINITY;
    const changed = (array: Float32Array, at: number, value: number) => array.with(at, value);
    const size = { vertices: 0, tokenIds: new Int32Array(0), logProbs: new Float32Array(0) };
    const bad: readonly (readonly [ErrorCode, string, Partial<DagLattice>])[] = [
      ['INVALID_SCORES', 'position 0 of row 0', { logProbs: changed(good.logProbs, 3, Number.NaN) }],
      ['INVALID_SCORES', 'position 1 of row 0', { logProbs: changed(good.logProbs, 5, Number.POSITIVE_INFINITY) }],
      ['INVALID_SCORES', 'position 0 of row 0', { transitions: changed(good.transitions, 1, Number.NaN) }],
      [
        'INVALID_SCORES',
        'position 4 of row 0',
        { transitions: changed(good.transitions, 24, Number.POSITIVE_INFINITY) },
      ],
      ['INVALID_ARGUMENT', 'edge from vertex 2 to 1', { transitions: changed(good.transitions, 11, -1) }],
      ['INVALID_ARGUMENT', 'edge from vertex 2 to 2', { transitions: changed(good.transitions, 12, -1) }],
      ['UNSATISFIABLE_CONSTRAINT', 'of row 0', { transitions: new Float32Array(25).fill(no) }],
      [
        'UNSATISFIABLE_CONSTRAINT',
        'of row 0',
        { logProbs: good.logProbs.map((logProb, entry) => (entry < 20 ? logProb : no)) },
      ],
      ['INVALID_ARGUMENT', 'token 7', { tokenIds: good.tokenIds.with(2, VOCABULARY) }],
      ['INVALID_ARGUMENT', 'token -1', { tokenIds: good.tokenIds.with(2, -1) }],
      ['INVALID_ARGUMENT', 'twice', { tokenIds: good.tokenIds.with(2, good.tokenIds[3]) }],
      ['INVALID_ARGUMENT', 'vertices of', { tokenIds: good.tokenIds.slice(1) }],
      ['INVALID_ARGUMENT', 'vertices of', { transitions: new Float32Array(24) }],
      ['INVALID_ARGUMENT', 'vertices of', { ...size, transitions: new Float32Array(0) }],
      ['INVALID_ARGUMENT', 'ctc lattice', { kind: 'ctc' as 'dag' }],
    ];
    const run = (lattices: DagLattice[]) =>
      collect(create().decode({ ...dagModel(), emit: async () => lattices }, { sources: SOURCES.slice(0, 1) }));
    for (const [code, words, change] of bad) {
      await expect(run([{ ...good, ...change }]), words).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      });
    }
    await expect(run([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('leaves the lattice’s arrays as they were', async () => {
    const lattice = dagLattice(randomDag(1, 8, VOCABULARY, 0.5), 5);
    const copy = structuredClone(lattice);
    await collect(create().decode({ ...dagModel(), emit: async () => [lattice] }, { sources: SOURCES.slice(0, 1) }));
    expect(lattice).toEqual(copy);
  });
});

describe('one vertex', () => {
  it('is a path of one token', async () => {
    const dag = { emissions: [Float32Array.of(0, 1, 5)], edges: [[0]] };
    const model = scriptedDagModel({ vocabularySize: 3, dag: () => dag });
    for (const decoder of [
      dagGreedy(),
      dagLookahead(),
      dagViterbi(),
      dagJointViterbi({ length: 1 }),
      dagBeam({ candidates: 1 }),
      dagSampling({ candidates: 1 }),
    ]) {
      expect(outputsOf(await collect(decoder.decode(model, { sources: [SOURCES[0] as TokenSource] })))).toEqual([[2]]);
    }
  });
});

describe('options', () => {
  const one = { sources: SOURCES.slice(0, 1) };
  const ngrams = (size: number, probability: number): NgramModel =>
    new NgramModel(
      {
        unigramProbability: new Float32Array(size).fill(probability),
        unigramBackoff: new Float32Array(size).fill(1),
        bigramIds: new Int32Array(0),
        bigramProbability: new Float32Array(0),
        bigramBackoff: new Float32Array(0),
        trigramIds: new Int32Array(0),
        trigramProbability: new Float32Array(0),
      },
      { endTokenId: END },
    );

  it('out of range, or of no effect, are refused when the decoder is made', () => {
    const wrong: readonly (() => DagDecoder)[] = [
      () => dagGreedy({ startTokenId: -1 }),
      () => dagViterbi({ lengthPenalty: Number.NaN }),
      () => dagViterbi({ length: 0 }),
      () => dagJointViterbi({ length: 2.5 }),
      () => dagJointViterbi({ length: 3, lengthPenalty: 1 }),
      () => dagBeam({ beamSize: 0 }),
      () => dagBeam({ candidates: 0 }),
      () => dagBeam({ beamSize: 2, hypotheses: 3 }),
      () => dagBeam({ lengthPenalty: 11 }),
      () => dagBeam({ languageModel: { weight: 0.5 } as never }),
      () => dagBeam({ languageModel: { model: ngrams(VOCABULARY, 1), weight: -1 } }),
      () => dagSampling({ temperature: 0 }),
      () => dagSampling({ temperature: Number.POSITIVE_INFINITY }),
      () => dagSampling({ candidates: 1.5 }),
      () => dagSampling({ hypotheses: 0 }),
    ];
    for (const make of wrong) expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('that do not fit the model are refused before the forward', async () => {
    const model = { ...dagModel(), emit: () => Promise.reject(new Error('the model was asked')) };
    const few = { ...model, supports: { kind: 'dag', maxCandidates: 4 } } as const;
    const run =
      (decoder: DagDecoder, on: LatticeModel<TokenSource> = model, more: Partial<DecodeRequest<TokenSource>> = {}) =>
      () =>
        collect(decoder.decode(on, { ...one, ...more }));
    await assertCode(run(dagGreedy({ startTokenId: VOCABULARY })), 'INVALID_ARGUMENT');
    await assertCode(run(dagBeam({ languageModel: { model: ngrams(VOCABULARY + 1, 1) } })), 'INVALID_ARGUMENT');
    await assertCode(run(dagGreedy(), model, { lengths: [3] }), 'UNSUPPORTED_CAPABILITY');
    await assertCode(run(dagViterbi({ length: 3 }), model, { lengths: [3] }), 'INVALID_ARGUMENT');
    await assertCode(run(dagViterbi({ lengthPenalty: 1 }), model, { lengths: [3] }), 'INVALID_ARGUMENT');
    await assertCode(run(dagViterbi(), model, { lengths: [0] }), 'INVALID_ARGUMENT');
    await assertCode(run(dagViterbi(), model, { lengths: [3, 3] }), 'INVALID_ARGUMENT');
    await assertCode(run(dagBeam(), few), 'UNSUPPORTED_CAPABILITY');
    await assertCode(run(dagSampling(), few), 'UNSUPPORTED_CAPABILITY');
  });

  it('that leave no output are named by code', async () => {
    const beam = dagBeam({ languageModel: { model: ngrams(VOCABULARY, 0) } });
    await assertCode(() => collect(beam.decode(dagModel(), one)), 'UNSATISFIABLE_CONSTRAINT');
    await assertCode(() => collect(dagViterbi({ length: 999 }).decode(dagModel(), one)), 'UNSATISFIABLE_CONSTRAINT');
  });
});
