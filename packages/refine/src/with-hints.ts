import {
  type CanvasModel,
  type CanvasOpenOptions,
  type EditModel,
  ForetokenError,
  type LatticeModel,
  type SourceEncoder,
  type Vocabulary,
} from '@foretoken/core';
import {
  assertLattice,
  assertVocabulary,
  canvasOptions,
  commonEncoding,
  fields,
  modelKind,
  wrongValue,
} from '@foretoken/core/kit';
import { LATTICE_SEARCH, type LatticeSearch, pathsToRead, searchOutputs } from './lattice-search.js';

/**
 * The model, reading hints that `search` finds in the lattices of the CTC student it was trained beside, such as a prefix beam
 * search with a language model, in the place of that student's best paths. Every strategy works on it as on the model itself.
 *
 * The search must tell alignments; those of @foretoken/one-shot do with `alignments: true`. One that draws uses seed 0. Throws
 * `UNSUPPORTED_CAPABILITY` where the model reads no hints or the search cannot read the lattice, `INVALID_ARGUMENT` for a
 * lattice model of another vocabulary or encoder; opening it throws `INVALID_ARGUMENT` where the search tells no alignment.
 */
export function withHints<Source>(model: CanvasModel<Source>, hints: LatticeSearch<Source>): CanvasModel<Source>;
export function withHints<Source>(model: EditModel<Source>, hints: LatticeSearch<Source>): EditModel<Source>;
export function withHints<Source>(
  model: CanvasModel<Source> | EditModel<Source>,
  given: LatticeSearch<Source>,
): CanvasModel<Source> | EditModel<Source> {
  const kind = modelKind(model);
  if (kind !== 'canvas' && kind !== 'edit') throw wrongValue('model', model, 'a canvas model or an edit model');
  const hints: LatticeSearch<Source> = fields(LATTICE_SEARCH, ['lattice', 'search'])('hints', given);
  assertReads(model, hints);
  if ('maskTokenId' in model) {
    const { vocabulary, maskTokenId, maxLength, supports } = model;
    return { vocabulary, maskTokenId, maxLength, supports, ...reading(model, hints) };
  }
  const { vocabulary, placeholderTokenId, startTokenId, maxLength, supports } = model;
  return { vocabulary, placeholderTokenId, startTokenId, maxLength, supports, ...reading(model, hints) };
}

/** What a canvas and an edit model have in common. */
interface Reader<Source, Session> {
  readonly vocabulary: Vocabulary;
  readonly encoder?: SourceEncoder<Source> | undefined;
  readonly readsHints?: boolean | undefined;
  open(sources: readonly Source[], options?: CanvasOpenOptions): Promise<Session>;
}

function reading<Source, Session>(model: Reader<Source, Session>, hints: LatticeSearch<Source>) {
  return {
    encoder: model.encoder,
    readsHints: true,
    open: async (sources: readonly Source[], given?: CanvasOpenOptions): Promise<Session> => {
      const options = canvasOptions(given);
      if (options.hints !== undefined) return model.open(sources, options);
      const { signal } = options;
      const own =
        options.encoding === undefined ? await commonEncoding(model, hints.lattice, sources, signal) : undefined;
      try {
        const open = { ...options, encoding: options.encoding ?? own };
        const paths = pathsToRead(model, hints, await searchOutputs(hints, { sources }, open));
        if (paths === undefined) throw withoutAlignments();
        return await model.open(sources, { ...open, hints: paths });
      } finally {
        own?.dispose();
      }
    },
  };
}

function withoutAlignments(): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    'search does not tell where in the lattice tokens begin. Set its option alignments.',
    { option: 'search' },
  );
}

function assertReads<Source>(model: Reader<Source, unknown>, { lattice, search }: LatticeSearch<Source>): void {
  if (!model.readsHints) {
    throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model reads no hints, so none can be searched for it.', {
      capability: 'hints',
    });
  }
  assertLattice(search, lattice);
  assertCtc(lattice);
  assertVocabulary('lattice', lattice.vocabulary, model.vocabulary);
  if (lattice.encoder === undefined || lattice.encoder !== model.encoder) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'lattice has another encoder than the model, which knows the frames of a student of its own encoder only.',
      { option: 'lattice' },
    );
  }
}

function assertCtc({ supports }: LatticeModel<never>): void {
  if (supports.kind === 'ctc') return;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `withHints needs a ctc lattice, whose frames hints are read from. It emits: ${supports.kind}.`,
    { capability: 'ctc', received: supports.kind },
  );
}
