import { type CanvasReviseEvent, collect, type DecodeEvent, type TokenSource } from '@foretoken/core';
import { ctcGreedy } from '@foretoken/one-shot';
import { levenshtein, maskCtc } from '@foretoken/refine';
import {
  assertCode,
  randomCanvasScore,
  randomLogits,
  scriptedCanvasModel,
  scriptedEditModel,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { latticeOf, SOURCES, VOCABULARY } from './lattice-models.js';

const search = ctcGreedy();

function editsOf(seed: number, maxLength = 32) {
  const choose = randomLogits({ seed, vocabularySize: 3, endTokenId: -1 });
  return scriptedEditModel({
    vocabularySize: VOCABULARY,
    startTokenId: 7,
    endTokenId: 0,
    placeholderTokenId: 8,
    maxLength,
    deletions: (source, canvas) =>
      Float32Array.from(canvas, (_, at) => (choose(source, [at, ...canvas])[0] > 2 ? 0.9 : 0.1)),
    placeholders: (source, canvas) =>
      Int32Array.from({ length: canvas.length - 1 }, (_, at) => (choose(source, [at, ...canvas])[1] > 3 ? 1 : 0)),
    score: randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [0, 7, 8] }),
  });
}

describe('levenshtein from a lattice', () => {
  it('edits the output of the lattice as it edits that text when it is given', async () => {
    let changed = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const lattice = latticeOf(seed);
      const searched = await collect(search.decode(lattice, { sources: SOURCES }));
      const initialOutputs = searched.results.map(({ hypotheses }) => hypotheses[0].tokenIds);
      const given = await collect(levenshtein().decode(editsOf(seed), { sources: SOURCES, initialOutputs }));
      const edited = await collect(
        levenshtein({ initial: { lattice, search } }).decode(editsOf(seed), { sources: SOURCES }),
      );
      const tokensOf = ({ results }: typeof given) => results.map(({ hypotheses }) => [...hypotheses[0].tokenIds]);
      expect(tokensOf(edited)).toEqual(tokensOf(given));
      expect(edited.statistics).toMatchObject({ forwards: given.statistics.forwards, otherForwards: 1 });
      if (String(tokensOf(given)) !== String(initialOutputs.map((tokenIds) => [...tokenIds]))) changed++;
    }
    expect(changed).toBeGreaterThan(10);
  });

  it('shows the output of the lattice before it is edited or masked', async () => {
    const shownOf = async (events: AsyncIterable<DecodeEvent>) => {
      const shown: CanvasReviseEvent[] = [];
      for await (const event of events) if (event.type === 'canvas-revise') shown[event.row] ??= event;
      return shown;
    };
    const lattice = latticeOf(3);
    const request = { sources: SOURCES };
    const searched = await shownOf(search.decode(lattice, request));
    const canvas = scriptedCanvasModel({
      vocabularySize: VOCABULARY,
      score: randomCanvasScore({ seed: 3, vocabularySize: VOCABULARY }),
    });
    const edits = await shownOf(levenshtein({ initial: { lattice, search } }).decode(editsOf(3), request));
    const fills = await shownOf(maskCtc({ initial: { lattice, search }, threshold: 1 }).decode(canvas, request));
    for (const [row, { tokenIds, logProbs }] of searched.entries()) {
      expect(edits[row]).toMatchObject({ tokenIds, logProbs, origins: Int32Array.from(tokenIds.keys()) });
      expect(fills[row]).toMatchObject({ tokenIds, logProbs });
    }
  });

  it('keeps what the lattice knew of the tokens that stay', async () => {
    const lattice = latticeOf(2);
    const model = {
      ...editsOf(2),
      open: scriptedEditModel({ ...still, score: () => new Float32Array(VOCABULARY) }).open,
    };
    const { results } = await collect(
      levenshtein({ initial: { lattice, search } }).decode(model, { sources: SOURCES }),
    );
    for (const [row, { hypotheses }] of results.entries()) {
      const [emitted] = await lattice.emit([SOURCES[row]]);
      const best = await collect(
        search.decode({ ...lattice, emit: async () => [emitted] }, { sources: [SOURCES[row]] }),
      );
      expect(hypotheses[0].tokenIds).toEqual(best.results[0].hypotheses[0].tokenIds);
      expect(hypotheses[0].logProb).toBeLessThan(0);
    }
  });

  it('refuses contradictions and outputs that do not fit', async () => {
    const lattice = latticeOf(1);
    const initial = { lattice, search };
    const run = (options: Parameters<typeof levenshtein>[0], maxLength = 32, request = {}) =>
      collect(levenshtein(options).decode(editsOf(1, maxLength), { sources: SOURCES, ...request }));
    await assertCode(() => run({ initial }, 32, { initialOutputs: SOURCES }), 'UNSUPPORTED_CAPABILITY');
    await assertCode(() => run({ initial }, 3), 'LENGTH_LIMIT');
    const other = { ...lattice, vocabulary: { size: 5, endTokenId: 0 } };
    await assertCode(() => run({ initial: { lattice: other, search } }), 'INVALID_ARGUMENT');
    const dag = { ...lattice, supports: { kind: 'dag' as const, maxCandidates: 4 } };
    await assertCode(() => run({ initial: { lattice: dag, search } }), 'UNSUPPORTED_CAPABILITY');
    const silent = { ...search, decode: async function* () {} };
    await assertCode(() => run({ initial: { lattice, search: silent } }), 'RUNTIME_FAILURE');
  });
});

/** Changes nothing. */
const still = {
  vocabularySize: VOCABULARY,
  startTokenId: 7,
  endTokenId: 0,
  placeholderTokenId: 8,
  deletions: (_: TokenSource, canvas: Int32Array) => new Float32Array(canvas.length).fill(0.1),
  placeholders: (_: TokenSource, canvas: Int32Array) => new Int32Array(canvas.length - 1),
};
