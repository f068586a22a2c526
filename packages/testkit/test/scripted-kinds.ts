import type {
  CanvasModel,
  DagLattice,
  EditModel,
  LatticeModel,
  SourceEncoder,
  SourceEncoding,
  TokenSource,
} from '@foretoken/core';
import { ForetokenError } from '@foretoken/core';
import { assertTokenSources, emitOptions, logSoftmax, topK } from '@foretoken/core/kit';
import {
  randomCanvasScore,
  randomLogits,
  type ScriptedCanvasOptions,
  scriptedCanvasModel,
  scriptedEditModel,
  scriptedLatticeModel,
} from '@foretoken/testkit';

const VOCABULARY = 9;
const score = randomLogits({ seed: 3, vocabularySize: VOCABULARY, endTokenId: 0 });

/** A CTC model of two frames a token and one more. */
export const scriptedCtc = (): LatticeModel<TokenSource> =>
  withEncoder(
    scriptedLatticeModel({
      vocabularySize: VOCABULARY,
      blankId: VOCABULARY - 1,
      frames: (source) => Array.from({ length: 2 * source.length + 1 }, (_, frame) => score(source, [frame])),
    }),
  );

/** A DAG of four vertices, each leading on to all later ones alike. */
export const scriptedDag = (size: number = VOCABULARY): LatticeModel<TokenSource> => ({
  vocabulary: { size, endTokenId: 0 },
  supports: { kind: 'dag', maxCandidates: size },
  async emit(sources, options) {
    const { k = 1 } = emitOptions(options);
    assertTokenSources(sources);
    return sources.map((source) => dagLattice(source, Math.min(k, size), size));
  },
});

function dagLattice(source: TokenSource, k: number, vocabularySize: number): DagLattice {
  const vertices = 4;
  const score = randomLogits({ seed: 3, vocabularySize, endTokenId: 0 });
  const emissions = Array.from({ length: vertices }, (_, vertex) =>
    logSoftmax(Float32Array.from(score(source, [vertex]))),
  );
  const best = emissions.map((row) => [...topK(row, k)]);
  const edge = (from: number, to: number): number =>
    to > from ? -Math.log(vertices - 1 - from) : Number.NEGATIVE_INFINITY;
  return {
    kind: 'dag',
    vertices,
    k,
    tokenIds: Int32Array.from(best.flat()),
    logProbs: Float32Array.from(best.flatMap((ids, vertex) => ids.map((id) => emissions[vertex][id]))),
    transitions: Float32Array.from({ length: vertices ** 2 }, (_, cell) =>
      edge(Math.floor(cell / vertices), cell % vertices),
    ),
  };
}

/** A canvas model whose lengths depend on the source. */
export const scriptedCanvas = (more: Partial<ScriptedCanvasOptions> = {}): CanvasModel<TokenSource> =>
  withEncoder(
    scriptedCanvasModel({
      vocabularySize: VOCABULARY,
      maxLength: 8,
      score: randomCanvasScore({ seed: 5, vocabularySize: VOCABULARY }),
      lengths: (source) => score(source, [1]),
      ...more,
    }),
  );

export const scriptedEdit = (): EditModel<TokenSource> =>
  withEncoder(
    scriptedEditModel({
      vocabularySize: VOCABULARY,
      startTokenId: 7,
      endTokenId: 0,
      placeholderTokenId: 8,
      maxLength: 8,
      deletions: (source, canvas) => Array.from(canvas, (_, at) => 0.5 + 0.4 * Math.sin(source[0] + at + canvas[at])),
      placeholders: (source, canvas) => Array.from({ length: canvas.length - 1 }, (_, gap) => (source[0] + gap) % 3),
      score: randomCanvasScore({ seed: 6, vocabularySize: VOCABULARY, never: [7] }),
    }),
  );

interface Encoded extends SourceEncoding {
  readonly lengths: readonly number[];
  disposed: boolean;
}

type Opens = { open(sources: readonly TokenSource[], options?: never): unknown };
type Emits = { emit(sources: readonly TokenSource[], options?: never): unknown };

/** The same model with an encoder, whose encodings only say which sources they are of. */
function withEncoder<Model extends Opens | Emits>(model: Model): Model {
  const encoder: SourceEncoder<TokenSource> = {
    async encode(sources) {
      const encoding: Encoded = {
        rows: sources.length,
        lengths: sources.map(({ length }) => length),
        disposed: false,
        dispose() {
          encoding.disposed = true;
        },
      };
      return encoding;
    },
  };
  // What else the options are the model itself looks at.
  const check = (sources: readonly TokenSource[], options?: { readonly encoding?: Encoded }): void => {
    const encoding = options?.encoding;
    if (encoding === undefined) return;
    if (encoding.disposed) throw new ForetokenError('DISPOSED', 'The encoding was disposed of.');
    if (encoding.lengths !== undefined && encoding.rows !== sources.length)
      throw new ForetokenError('INVALID_ARGUMENT', 'The encoding is of other sources.');
  };
  const method = 'open' in model ? 'open' : 'emit';
  const inner = (model as unknown as Record<string, (...given: unknown[]) => unknown>)[method].bind(model);
  const own = async (sources: readonly TokenSource[], options?: { readonly encoding?: Encoded }) => {
    check(sources, options);
    return inner(sources, options);
  };
  return Object.defineProperties({ encoder } as unknown as Model, {
    ...Object.getOwnPropertyDescriptors(model),
    encoder: { value: encoder, enumerable: true },
    [method]: { value: own, enumerable: true },
  });
}
