import type {
  CanvasOpenOptions,
  CanvasReviseEvent,
  DecodeRequest,
  Decoder,
  LatticeModel,
  LatticePath,
  OpenOptions,
  SourceEncoder,
  Vocabulary,
} from '@foretoken/core';
import {
  assertLattice,
  assertVocabulary,
  brokenPrediction,
  type OptionTable,
  refuseOutputPrefixes,
  withMethods,
} from '@foretoken/core/kit';

/** A lattice model whose output is a first draft, to be refined; where it shares an encoder, each source is encoded once. */
export interface LatticeDraft<Source> {
  /** A CTC model, or one that emits directed acyclic graphs. */
  readonly lattice: LatticeModel<Source>;
  /**
   * How a draft is read off its lattice, such as `ctcGreedy` or `ctcPrefixBeam` of @foretoken/one-shot; how sure it is of each
   * token is what its `canvas-revise` events say. Where they also tell alignments, a model that reads drafts of this lattice
   * reads this one.
   */
  readonly search: Decoder<LatticeModel<Source>>;
}

export const LATTICE_DRAFT: OptionTable<LatticeDraft<never>> = {
  lattice: withMethods('a lattice model', 'emit'),
  search: withMethods('a decoder of lattices, such as ctcGreedy()', 'decode'),
};

/**
 * Throws `UNSUPPORTED_CAPABILITY` where the search cannot read the lattice or outputs are to begin with given tokens, and
 * `INVALID_ARGUMENT` where the draft has another vocabulary than the model that refines it.
 */
export function assertLatticeDraft<Source>(
  decoder: string,
  { lattice, search }: LatticeDraft<Source>,
  vocabulary: Vocabulary,
  request: DecodeRequest<Source>,
): void {
  assertLattice(search, lattice);
  refuseOutputPrefixes(decoder, request);
  assertVocabulary('lattice', lattice.vocabulary, vocabulary);
}

/**
 * Drafts as a model on canvases reads them; none where it reads none, where the search tells no alignments, and of a lattice
 * that is no CTC student's on its own encoder, whose frames are not those of the student it knows.
 *
 * Throws `RUNTIME_FAILURE` where the search tells the alignments of some rows only.
 */
export function pathsToRead<Source>(
  model: { readonly readsDrafts?: boolean | undefined; readonly encoder?: SourceEncoder<Source> | undefined },
  { lattice }: LatticeDraft<Source>,
  drafts: readonly CanvasReviseEvent[],
): Pick<CanvasOpenOptions, 'drafts'> {
  const known = lattice.supports.kind === 'ctc' && model.encoder !== undefined && lattice.encoder === model.encoder;
  if (!model.readsDrafts || !known || drafts.every(({ alignment }) => alignment === undefined)) return {};
  return {
    drafts: drafts.map(({ tokenIds, alignment }, row): LatticePath => {
      if (alignment === undefined) throw brokenPrediction(row, 'no alignment');
      return { tokenIds, firstFrames: alignment.firstFrames };
    }),
  };
}

/** The draft of each source, after one forward of the lattice model; a search that draws does so by the request's seed. */
export async function draftOutputs<Source>(
  { lattice, search }: LatticeDraft<Source>,
  { sources, seed }: DecodeRequest<Source>,
  { encoding, signal }: OpenOptions,
): Promise<CanvasReviseEvent[]> {
  const { vocabulary, supports } = lattice;
  const shared: LatticeModel<Source> = {
    vocabulary,
    supports,
    emit: (rows, options) => lattice.emit(rows, { ...options, ...(encoding === undefined ? {} : { encoding }) }),
  };
  const request = {
    sources,
    ...(seed === undefined ? {} : { seed }),
    ...(signal === undefined ? {} : { signal }),
  };
  const drafts: CanvasReviseEvent[] = [];
  for await (const event of search.decode(shared, request as Parameters<typeof search.decode>[1])) {
    if (event.type === 'canvas-revise') drafts[event.row] = event;
  }
  const missing = sources.findIndex((_, row) => drafts[row] === undefined);
  if (missing >= 0) throw brokenPrediction(missing, 'no draft');
  return drafts;
}
