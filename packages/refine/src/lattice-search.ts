import type {
  CanvasReviseEvent,
  DecodeRequest,
  Decoder,
  LatticeModel,
  LatticePath,
  OpenOptions,
  SourceEncoder,
  Vocabulary,
} from '@foretoken/core';
import { assertLattice, assertVocabulary, brokenPrediction, type OptionTable, withMethods } from '@foretoken/core/kit';

/** A lattice model, and how an output is read off its lattices; where it shares an encoder, each source is encoded once. */
export interface LatticeSearch<Source> {
  /** A CTC model, or one that emits directed acyclic graphs. */
  readonly lattice: LatticeModel<Source>;
  /**
   * Such as `ctcGreedy` or `ctcPrefixBeam` of @foretoken/one-shot. Its `canvas-revise` events say how sure it is of each token.
   * Where they also tell alignments, a model that reads hints of this lattice reads this output.
   */
  readonly search: Decoder<LatticeModel<Source>>;
}

export const LATTICE_SEARCH: OptionTable<LatticeSearch<never>> = {
  lattice: withMethods('a lattice model', 'emit'),
  search: withMethods('a decoder of lattices, such as ctcGreedy()', 'decode'),
};

/**
 * Throws `UNSUPPORTED_CAPABILITY` where the search cannot read the lattice, and
 * `INVALID_ARGUMENT` where the lattice has another vocabulary than the model that refines it.
 */
export function assertLatticeSearch<Source>({ lattice, search }: LatticeSearch<Source>, vocabulary: Vocabulary): void {
  assertLattice(search, lattice);
  assertVocabulary('lattice', lattice.vocabulary, vocabulary);
}

/**
 * Outputs as hints that a model on canvases reads; none where it reads none, where the search tells no alignments, and of a lattice
 * that is no CTC student's on its own encoder, whose frames are not those of the student it knows.
 *
 * Throws `RUNTIME_FAILURE` where the search tells the alignments of some rows only.
 */
export function pathsToRead<Source>(
  model: { readonly readsHints?: boolean | undefined; readonly encoder?: SourceEncoder<Source> | undefined },
  { lattice }: LatticeSearch<Source>,
  outputs: readonly CanvasReviseEvent[],
): readonly LatticePath[] | undefined {
  const known = lattice.supports.kind === 'ctc' && model.encoder !== undefined && lattice.encoder === model.encoder;
  if (!model.readsHints || !known || outputs.every(({ alignment }) => alignment === undefined)) return undefined;
  return outputs.map(({ tokenIds, alignment }, row): LatticePath => {
    if (alignment === undefined) throw brokenPrediction(row, 'no alignment');
    return { tokenIds, firstFrames: alignment.firstFrames };
  });
}

/** What the search outputs for each source, after one forward of the lattice model; a search that draws does so by the request's seed. */
export async function searchOutputs<Source>(
  { lattice, search }: LatticeSearch<Source>,
  { sources, seed }: DecodeRequest<Source>,
  { encoding, signal }: OpenOptions,
): Promise<CanvasReviseEvent[]> {
  const { vocabulary, supports, startTokenId } = lattice;
  const shared: LatticeModel<Source> = {
    vocabulary,
    supports,
    startTokenId,
    emit: (rows, options) => lattice.emit(rows, { ...options, encoding: encoding ?? options?.encoding }),
  };
  const request = {
    sources,
    seed,
    signal,
  };
  const outputs: CanvasReviseEvent[] = [];
  for await (const event of search.decode(shared, request as Parameters<typeof search.decode>[1])) {
    if (event.type === 'canvas-revise') outputs[event.row] = event;
  }
  const missing = sources.findIndex((_, row) => outputs[row] === undefined);
  if (missing >= 0) throw brokenPrediction(missing, 'no output');
  return outputs;
}
