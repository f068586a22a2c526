import type {
  CanvasModel,
  CanvasPrediction,
  CtcLattice,
  DagLattice,
  EditModel,
  EndedVocabulary,
  LatticeModel,
  OutputRequest,
  TokenSource,
  Vocabulary,
} from '@foretoken/core';
import { NgramModel } from '@foretoken/language-models';
import { familyOf, type LoadedModel, type ModelManifest, textBeginningProcessor } from '@foretoken/models';
import { type FakeModel, fakeModel, MANIFEST, withParts } from './support.js';

const MASK = 1;
const START = 3;
const END = 2;

/** Scores of a position that surely says `tokenId`, as asked for. */
function sure<Output extends OutputRequest>(
  tokenIds: readonly number[],
  vocabulary: Vocabulary,
  row: number,
  output: Output,
): CanvasPrediction<Output>;
function sure(tokenIds: readonly number[], { size }: Vocabulary, row: number, output: OutputRequest): CanvasPrediction {
  const ranked = tokenIds.map((best) => [
    best,
    ...Array.from({ length: size }, (_, id) => id).filter((id) => id !== best),
  ]);
  const scores = [Math.log(0.9), ...new Array<number>(size - 1).fill(Math.log(0.1 / (size - 1)))];
  if (output.kind === 'topK') {
    return {
      row,
      kind: 'topK',
      k: output.k,
      tokenIds: Int32Array.from(ranked.flatMap((ids) => ids.slice(0, output.k))),
      logProbs: Float32Array.from(ranked.flatMap(() => scores.slice(0, output.k))),
    };
  }
  const logProbs = ranked.flatMap(([best]) => Array.from({ length: size }, (_, id) => scores[id === best ? 0 : 1]));
  return { row, kind: 'logProbs', logProbs: Float32Array.from(logProbs) };
}

/** Fills position i with word i of `wordsOf` its row; every canvas model here is of that kind. */
function canvasModel(
  vocabulary: Vocabulary,
  wordsOf: (source: TokenSource) => readonly number[],
  lengths: boolean,
): CanvasModel<TokenSource> {
  return {
    vocabulary,
    maskTokenId: MASK,
    maxLength: 20,
    supports: { outputs: ['topK', 'logProbs'], lengths, maxCandidates: 4 },
    open: async (sources) => ({
      predictLengths: async () =>
        sources.map((source, row) => ({
          row,
          lengths: Int32Array.of(source.length - 1, source.length),
          logProbs: Float32Array.of(-0.1, -2),
        })),
      fill: async (canvases, output) =>
        canvases.map(({ row, tokenIds }) => {
          const words = wordsOf(sources[row]);
          return sure(
            Array.from(tokenIds, (_, position) => words[position] ?? END),
            vocabulary,
            row,
            output,
          );
        }),
      async [Symbol.asyncDispose]() {},
    }),
  };
}

const outputOf = (source: TokenSource): number[] => Array.from(source).slice(0, -1);

/** Vertices say the start token, the words and the end token, each linked to the next alone. */
function dagModel(vocabulary: Vocabulary): LatticeModel<TokenSource> {
  const k = 5;
  return {
    vocabulary,
    supports: { kind: 'dag', maxCandidates: k },
    emit: async (sources, options) =>
      sources.map((source): DagLattice => {
        const said = [START, ...source];
        const { tokenIds, logProbs } = sure(said, vocabulary, 0, { kind: 'topK', k: options?.k ?? 1 });
        const edges = said.flatMap((_, from) => said.map((__, to) => (to === from + 1 ? 0 : Number.NEGATIVE_INFINITY)));
        return {
          kind: 'dag',
          vertices: said.length,
          k: options?.k ?? 1,
          tokenIds,
          logProbs,
          transitions: Float32Array.from(edges),
        };
      }),
  };
}

/** Deletes from the first word on that is not the source's, and inserts what is missing after what is there. */
function editModel(vocabulary: EndedVocabulary): EditModel<TokenSource> {
  return {
    vocabulary,
    startTokenId: START,
    placeholderTokenId: MASK,
    maxLength: 20,
    supports: { outputs: ['topK'], maxCandidates: 2 },
    open: async (sources) => ({
      deletions: async (canvases) =>
        canvases.map(({ row, tokenIds }) =>
          Float32Array.from(tokenIds, (id, at) => {
            if (id === START || id === END) return Number.NEGATIVE_INFINITY;
            const right = tokenIds.subarray(1, at + 1).every((word, index) => word === sources[row][index]);
            return Math.log(right ? 0.1 : 0.9);
          }),
        ),
      placeholders: async (canvases) =>
        canvases.map(({ row, tokenIds }) => {
          const counts = new Int32Array(tokenIds.length - 1);
          counts[counts.length - 1] = Math.max(0, outputOf(sources[row]).length - (tokenIds.length - 2));
          return counts;
        }),
      fill: async (canvases, output) =>
        canvases.map(({ row, tokenIds }) =>
          sure(
            Array.from(tokenIds, (_, at) => sources[row][at - 1] ?? END),
            vocabulary,
            row,
            output,
          ),
        ),
      async [Symbol.asyncDispose]() {},
    }),
  };
}

const MANN = 9;

/** A CTC model that hears each word, and `Mann` a little less. */
function unsureLattice(vocabulary: Vocabulary): LatticeModel<TokenSource> {
  return {
    vocabulary,
    supports: { kind: 'ctc', maxCandidates: 5 },
    emit: async (sources, options) =>
      sources.map((source): CtcLattice => {
        const k = options?.k ?? 1;
        const frames = outputOf(source).flatMap((word) => [
          [word, MANN, 10, 8, 7].slice(0, k),
          [0, 10, 8, 7, 6].slice(0, k),
        ]);
        const scores = [0.5, 0.3, 0.05, 0.05, 0.05].slice(0, k).map(Math.log);
        return {
          kind: 'ctc',
          frames: frames.length,
          k,
          blankId: 0,
          tokenIds: Int32Array.from(frames.flat()),
          logProbs: Float32Array.from(frames.flatMap(() => scores)),
          blankLogProbs: Float32Array.from(frames, ([best]) => Math.log(best === 0 ? 0.5 : 0.05)),
        };
      }),
  };
}

/** After whatever, `Mann` is nearly sure. */
function ngramsFor(vocabulary: Vocabulary): NgramModel {
  const { size } = vocabulary;
  const none = {
    unigramBackoff: new Float32Array(size).fill(1),
    bigramIds: new Int32Array(),
    trigramIds: new Int32Array(),
  };
  const unigramProbability = Float32Array.from({ length: size }, (_, id) => (id === MANN ? 0.9 : 0.01));
  const nothing = new Float32Array();
  const tables = {
    ...none,
    unigramProbability,
    bigramProbability: nothing,
    bigramBackoff: nothing,
    trigramProbability: nothing,
  };
  return new NgramModel(tables, vocabulary);
}

/** The model with the unsure lattice, and n-grams that would rather hear `Mann`. */
export function modelWithNgrams(): FakeModel {
  const model = fakeModel();
  const { vocabulary } = model.part('autoregressive');
  return withParts(model, { ctc: unsureLattice(vocabulary), languageModel: ngramsFor(vocabulary) });
}

/** The model that translates word for word, with every student; all of them get every word right. */
export function modelWithStudents(): FakeModel {
  const model = fakeModel();
  const { vocabulary } = model.part('autoregressive');
  return withParts(model, {
    canvas: canvasModel(vocabulary, outputOf, true),
    dag: { ...dagModel(vocabulary), startTokenId: START },
    edit: editModel({ ...vocabulary, endTokenId: vocabulary.endTokenId! }),
  });
}

const MASKED_FAMILY = await familyOf({ ...MANIFEST, family: 'masked-lm' } as ModelManifest);

/** A masked language model that says one sentence, whatever it is asked; it knows no lengths. */
export function maskedLanguageModel(): LoadedModel {
  const model = fakeModel();
  const { vocabulary } = model.part('autoregressive');
  const {
    graphs: _graphs,
    step: _step,
    ctc: _ctc,
    ...common
  } = MANIFEST as unknown as ModelManifest & Record<string, unknown>;
  const manifest = {
    ...common,
    family: 'masked-lm',
    architecture: { width: 8, heads: 2, layers: 1 },
    graphs: { fill: { topK: 'fill.onnx' } },
    canvas: { maskTokenId: MASK, maxCandidates: 4 },
  } as ModelManifest;
  const description = MASKED_FAMILY.describe(manifest);
  const processor = textBeginningProcessor(model.tokenizer);
  return withParts(
    { ...model, manifest, description, processor },
    { autoregressive: undefined, ctc: undefined, canvas: canvasModel(vocabulary, () => [4, 5, 6, 7, 8], false) },
  );
}
