import { fillGraphs } from '../../drivers/fill-graphs.js';
import { LevenshteinModel } from '../../drivers/levenshtein-model.js';
import { MaskedCanvasModel } from '../../drivers/masked-canvas-model.js';
import type { SourceGraphs } from '../../drivers/open-sources.js';
import type { OpenedPart } from '../../parts/model-part.js';
import type { Surroundings } from './student-surroundings.js';

/** The canvas student, where the folder has one. */
export function canvasPart(surroundings: Surroundings): OpenedPart | undefined {
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
    source: { ...sourceGraphs(surroundings, files, 0), lengths },
  });
  return { kind: 'canvas', model, open: sessions.opening(graphs.encoder, files.open, files.fill.topK) };
}

/** The edit student, where the folder has one. */
export function editPart(surroundings: Surroundings): OpenedPart | undefined {
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
  return { kind: 'edit', model, open: sessions.opening(graphs.encoder, open, deletions, placeholders, fill.topK) };
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
