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
import { EXACT, type OpenedPart, type PartVariant } from '../../parts/model-part.js';
import type { MarianManifest } from './marian-manifest.js';
import { readSideFiles } from './side-files.js';

/** What students are made of: all of a folder read one encoder. */
interface Surroundings {
  readonly manifest: MarianManifest;
  readonly sessions: GraphSessions;
  readonly encoder: TokenEncoder;
  readonly shortlist: Shortlist | undefined;
}

/**
 * The students that a folder has; their graphs are opened when they are first used. Throws `INVALID_MODEL_FOLDER` for a faulty file
 * beside the graphs.
 */
export async function openStudents(
  folder: ModelFolder,
  manifest: MarianManifest,
  sessions: GraphSessions,
  encoder: TokenEncoder,
): Promise<readonly OpenedPart[]> {
  const { shortlist, languageModel } = await readSideFiles(folder, manifest);
  const surroundings = { manifest, sessions, encoder, shortlist };
  const { ctc, ctcDraft, ctcFast } = manifest.graphs;
  const parts = [
    ctcPart(surroundings, EXACT, ctc),
    ctcPart(surroundings, 'draft', ctcDraft),
    ctcPart(surroundings, 'fast', ctcFast),
    canvasPart(surroundings),
    dagPart(surroundings),
    editPart(surroundings),
    languageModel && ({ kind: 'languageModel', model: languageModel } as const),
  ];
  return parts.filter((part) => part !== undefined);
}

/** Opens these graphs, one after the other. */
function opening(sessions: GraphSessions, ...files: readonly string[]): () => Promise<void> {
  return async () => {
    for (const file of files) await sessions.get(file);
  };
}

function ctcPart(
  { manifest, sessions, encoder, shortlist }: Surroundings,
  variant: PartVariant,
  file: string | undefined,
): OpenedPart | undefined {
  const { ctc, graphs, architecture, vocabulary } = manifest;
  if (file === undefined || ctc === undefined) return undefined;
  const readsTokens = variant === 'fast';
  const model = new CtcModel({
    runtime: sessions.runtime,
    session: () => sessions.get(file),
    encoder,
    vocabulary,
    width: architecture.width,
    readsTokens,
    ...ctc,
    ...(shortlist === undefined || variant === EXACT
      ? {}
      : {
          shortlist: { tokens: shortlist, last: ctc.blankId },
          // A frame has no more candidates than the shortest list and the blank.
          maxCandidates: Math.min(ctc.maxCandidates, shortlist.min + 1),
        }),
  });
  const open = opening(sessions, ...(readsTokens ? [] : [graphs.encoder]), file);
  return { kind: 'lattice', variant, model, open };
}

function canvasPart(surroundings: Surroundings): OpenedPart | undefined {
  const { manifest, sessions } = surroundings;
  const { graphs, canvas, vocabulary } = manifest;
  const files = graphs.canvas;
  if (files === undefined || canvas === undefined) return undefined;
  const { maskTokenId, maxLength, maxCandidates, lengths } = canvas;
  const model = new MaskedCanvasModel({
    runtime: sessions.runtime,
    graphs: fillGraphs(files.fill, maxCandidates, sessions),
    vocabulary,
    maskTokenId,
    maxLength,
    source: { ...sourceGraphs(surroundings, files, 0), ...(lengths === undefined ? {} : { lengths }) },
  });
  return { kind: 'canvas', model, open: opening(sessions, graphs.encoder, files.open, files.fill.topK) };
}

function dagPart({ manifest, sessions, encoder }: Surroundings): OpenedPart | undefined {
  const { graphs, dag, architecture, vocabulary } = manifest;
  const file = graphs.dag;
  if (file === undefined || dag === undefined) return undefined;
  const session = () => sessions.get(file);
  const { runtime } = sessions;
  const model = new DagModel({ runtime, session, encoder, vocabulary, width: architecture.width, ...dag });
  return { kind: 'lattice', model, open: opening(sessions, graphs.encoder, file) };
}

function editPart(surroundings: Surroundings): OpenedPart | undefined {
  const { manifest, sessions } = surroundings;
  const { graphs, edit, vocabulary } = manifest;
  const files = graphs.edit;
  if (files === undefined || edit === undefined) return undefined;
  const { placeholderTokenId, startTokenId, maxLength, maxCandidates } = edit;
  const model = new LevenshteinModel({
    runtime: sessions.runtime,
    // The start token comes before a hint.
    source: sourceGraphs(surroundings, files, 1),
    deletions: () => sessions.get(files.deletions),
    placeholders: () => sessions.get(files.placeholders),
    graphs: fillGraphs(files.fill, maxCandidates, sessions),
    vocabulary,
    placeholderTokenId,
    startTokenId,
    maxLength,
  });
  const { open, deletions, placeholders, fill } = files;
  return { kind: 'edit', model, open: opening(sessions, graphs.encoder, open, deletions, placeholders, fill.topK) };
}

/** How a student reads its source, and hints where it does; the manifest's parts agree. */
function sourceGraphs(
  { manifest, sessions, encoder }: Surroundings,
  { open, openHints }: { readonly open: string; readonly openHints?: string | undefined },
  shift: number,
): SourceGraphs {
  const { architecture, ctc, vocabulary } = manifest;
  const graphs = { encoder, open: () => sessions.get(open), width: architecture.width };
  if (openHints === undefined || ctc === undefined) return graphs;
  const { upsample } = ctc;
  const hint = { upsample, shift, openHints: () => sessions.get(openHints), vocabularySize: vocabulary.size };
  return { ...graphs, hint };
}
