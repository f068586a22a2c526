import type { LanguageModel } from '@foretoken/language-models';
import { CtcModel } from '../../drivers/ctc-model.js';
import { DagModel } from '../../drivers/dag-model.js';
import { fillGraphs } from '../../drivers/fill-graphs.js';
import type { GraphSessions } from '../../drivers/graph-sessions.js';
import { LevenshteinModel } from '../../drivers/levenshtein-model.js';
import { MaskedCanvasModel } from '../../drivers/masked-canvas-model.js';
import type { SourceGraphs } from '../../drivers/open-sources.js';
import type { Shortlist } from '../../drivers/shortlist.js';
import type { TokenEncoder } from '../../drivers/token-encoder.js';
import type { ModelFolder } from '../../folder/read-folder.js';
import type { MarianManifest } from './marian-manifest.js';
import { readSideFiles } from './side-files.js';

/** The students of a Marian folder that it has. */
export interface LoadedStudents {
  readonly lattice?: CtcModel;
  readonly draftLattice?: CtcModel;
  readonly fastLattice?: CtcModel;
  readonly canvas?: MaskedCanvasModel;
  readonly dag?: DagModel;
  readonly edit?: LevenshteinModel;
  readonly languageModel?: LanguageModel;
}

/**
 * Models over the students of a folder, all on one encoder. Throws `RUNTIME_FAILURE`, `INVALID_MODEL_FOLDER`, or the signal's
 * reason, looked at before every file and graph.
 */
export async function loadStudents(
  folder: ModelFolder,
  manifest: MarianManifest,
  sessions: GraphSessions,
  encoder: TokenEncoder,
  signal?: AbortSignal,
): Promise<LoadedStudents> {
  signal?.throwIfAborted();
  const { shortlist, languageModel } = await readSideFiles(folder, manifest);
  const { ctc, ctcDraft, ctcFast } = manifest.graphs;
  for (const file of [ctc, ctcDraft]) {
    signal?.throwIfAborted();
    if (file !== undefined) await sessions.get(file);
  }
  signal?.throwIfAborted();
  const lattice = loadCtc(manifest, ctc, sessions, encoder);
  const draftLattice = loadCtc(manifest, ctcDraft, sessions, encoder, { shortlist }) ?? lattice;
  const fastLattice = loadCtc(manifest, ctcFast, sessions, encoder, { shortlist, readsTokens: true });
  const canvas = loadCanvas(manifest, sessions, encoder);
  const dag = loadDag(manifest, sessions, encoder);
  const edit = loadEdit(manifest, sessions, encoder);
  return {
    ...(lattice === undefined ? {} : { lattice }),
    ...(draftLattice === undefined ? {} : { draftLattice }),
    ...(fastLattice === undefined ? {} : { fastLattice }),
    ...(canvas === undefined ? {} : { canvas }),
    ...(dag === undefined ? {} : { dag }),
    ...(edit === undefined ? {} : { edit }),
    ...(languageModel === undefined ? {} : { languageModel }),
  };
}

function loadCtc(
  { ctc, architecture, vocabulary }: MarianManifest,
  file: string | undefined,
  sessions: GraphSessions,
  encoder: TokenEncoder,
  {
    shortlist,
    readsTokens = false,
  }: { readonly shortlist?: Shortlist | undefined; readonly readsTokens?: boolean } = {},
): CtcModel | undefined {
  if (file === undefined || ctc === undefined) return undefined;
  return new CtcModel({
    runtime: sessions.runtime,
    session: () => sessions.get(file),
    encoder,
    vocabulary,
    width: architecture.width,
    readsTokens,
    ...ctc,
    ...(shortlist === undefined
      ? {}
      : {
          shortlist: { tokens: shortlist, last: ctc.blankId },
          // A frame has no more candidates than the shortest list and the blank.
          maxCandidates: Math.min(ctc.maxCandidates, shortlist.least + 1),
        }),
  });
}

function loadCanvas(
  { graphs, ctc, canvas, architecture, vocabulary }: MarianManifest,
  sessions: GraphSessions,
  encoder: TokenEncoder,
): MaskedCanvasModel | undefined {
  const files = graphs.canvas;
  if (files === undefined || canvas === undefined) return undefined;
  const { maskTokenId, maxLength, maxCandidates, lengths } = canvas;
  return new MaskedCanvasModel({
    runtime: sessions.runtime,
    graphs: fillGraphs(files.fill, maxCandidates, sessions),
    vocabulary,
    maskTokenId,
    maxLength,
    source: {
      encoder,
      open: () => sessions.get(files.open),
      width: architecture.width,
      ...(lengths === undefined ? {} : { lengths }),
      ...hintReading(files.openHints, ctc, vocabulary.size, 0, sessions),
    },
  });
}

function loadDag(
  { graphs, dag, architecture, vocabulary }: MarianManifest,
  sessions: GraphSessions,
  encoder: TokenEncoder,
): DagModel | undefined {
  const file = graphs.dag;
  if (file === undefined || dag === undefined) return undefined;
  const session = () => sessions.get(file);
  return new DagModel({ runtime: sessions.runtime, session, encoder, vocabulary, width: architecture.width, ...dag });
}

function loadEdit(
  { graphs, ctc, edit, architecture, vocabulary }: MarianManifest,
  sessions: GraphSessions,
  encoder: TokenEncoder,
): LevenshteinModel | undefined {
  const files = graphs.edit;
  if (files === undefined || edit === undefined) return undefined;
  const { placeholderTokenId, startTokenId, maxLength, maxCandidates } = edit;
  return new LevenshteinModel({
    runtime: sessions.runtime,
    source: {
      encoder,
      open: () => sessions.get(files.open),
      width: architecture.width,
      // The start token comes before a hint.
      ...hintReading(files.openHints, ctc, vocabulary.size, 1, sessions),
    },
    deletions: () => sessions.get(files.deletions),
    placeholders: () => sessions.get(files.placeholders),
    graphs: fillGraphs(files.fill, maxCandidates, sessions),
    vocabulary,
    placeholderTokenId,
    startTokenId,
    maxLength,
  });
}

/** How hints are read, where a student does; the manifest's parts agree. */
function hintReading(
  file: string | undefined,
  ctc: MarianManifest['ctc'],
  vocabularySize: number,
  shift: number,
  sessions: GraphSessions,
): Pick<SourceGraphs, 'hint'> {
  if (file === undefined || ctc === undefined) return {};
  return { hint: { upsample: ctc.upsample, shift, openHints: () => sessions.get(file), vocabularySize } };
}
