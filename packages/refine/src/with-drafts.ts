import {
  type CanvasModel,
  type CanvasOpenOptions,
  commonEncoding,
  type EditModel,
  ForetokenError,
  type LatticeModel,
  type SourceEncoder,
  type Vocabulary,
} from '@foretoken/core';
import { assertLattice, assertVocabulary, fields, modelKind, wrongValue } from '@foretoken/core/kit';
import { draftOutputs, LATTICE_DRAFT, type LatticeDraft, pathsToRead } from './lattice-draft.js';

/**
 * The model, reading drafts that `search` finds in the lattices of the CTC student it was trained beside, such as a prefix beam
 * search with a language model, in the place of that student's best paths. Every strategy works on it as on the model itself.
 *
 * The search must tell alignments; those of @foretoken/one-shot do with `alignments: true`. One that draws uses seed 0. Throws
 * `UNSUPPORTED_CAPABILITY` where the model reads no drafts or the search cannot read the lattice, `INVALID_ARGUMENT` for a
 * lattice model of another vocabulary or encoder; opening it throws `INVALID_ARGUMENT` where the search tells no alignment.
 */
export function withDrafts<Source>(model: CanvasModel<Source>, draft: LatticeDraft<Source>): CanvasModel<Source>;
export function withDrafts<Source>(model: EditModel<Source>, draft: LatticeDraft<Source>): EditModel<Source>;
export function withDrafts<Source>(
  model: CanvasModel<Source> | EditModel<Source>,
  given: LatticeDraft<Source>,
): CanvasModel<Source> | EditModel<Source> {
  const kind = modelKind(model);
  if (kind !== 'canvas' && kind !== 'edit') throw wrongValue('model', model, 'a canvas model or an edit model');
  const draft: LatticeDraft<Source> = fields(LATTICE_DRAFT, ['lattice', 'search'])('draft', given);
  assertReads(model, draft);
  if ('maskTokenId' in model) {
    const { vocabulary, maskTokenId, maxLength, supports } = model;
    return { vocabulary, maskTokenId, maxLength, supports, ...reading(model, draft) };
  }
  const { vocabulary, placeholderTokenId, startTokenId, maxLength } = model;
  return { vocabulary, placeholderTokenId, startTokenId, maxLength, ...reading(model, draft) };
}

/** What a canvas and an edit model have in common. */
interface Reader<Source, Session> {
  readonly vocabulary: Vocabulary;
  readonly encoder?: SourceEncoder<Source> | undefined;
  readonly readsDrafts?: boolean | undefined;
  open(sources: readonly Source[], options?: CanvasOpenOptions): Promise<Session>;
}

function reading<Source, Session>(model: Reader<Source, Session>, draft: LatticeDraft<Source>) {
  return {
    ...(model.encoder === undefined ? {} : { encoder: model.encoder }),
    readsDrafts: true,
    open: async (sources: readonly Source[], options: CanvasOpenOptions = {}): Promise<Session> => {
      if (options.drafts !== undefined) return model.open(sources, options);
      const { signal } = options;
      const own =
        options.encoding === undefined ? await commonEncoding(model, draft.lattice, sources, signal) : undefined;
      try {
        const encoding = options.encoding ?? own;
        const open = { ...options, ...(encoding === undefined ? {} : { encoding }) };
        const paths = pathsToRead(model, draft, await draftOutputs(draft, { sources }, open));
        if (paths.drafts === undefined) throw untold();
        return await model.open(sources, { ...open, ...paths });
      } finally {
        own?.dispose();
      }
    },
  };
}

function untold(): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    'search does not tell where in the lattice tokens begin. Set its option alignments.',
    { option: 'search' },
  );
}

function assertReads<Source>(model: Reader<Source, unknown>, { lattice, search }: LatticeDraft<Source>): void {
  if (!model.readsDrafts) {
    throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model reads no drafts, so none can be searched for it.', {
      capability: 'drafts',
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
    `withDrafts needs a ctc lattice, whose frames drafts are read from. It emits: ${supports.kind}.`,
    { capability: 'ctc', received: supports.kind },
  );
}
