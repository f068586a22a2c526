import { CtcModel } from '../../drivers/ctc-model.js';
import { DagModel } from '../../drivers/dag-model.js';
import { EXACT, type OpenedPart, type PartVariant } from '../../parts/model-part.js';
import type { Surroundings } from './student-surroundings.js';

/** The CTC student in its variants, and the DAG student, as far as the folder has them. */
export function latticeParts(surroundings: Surroundings): readonly (OpenedPart | undefined)[] {
  const { ctc, ctcDraft, ctcFast } = surroundings.manifest.graphs;
  return [
    ctcPart(surroundings, EXACT, ctc),
    ctcPart(surroundings, 'draft', ctcDraft),
    ctcPart(surroundings, 'fast', ctcFast),
    dagPart(surroundings),
  ];
}

function ctcPart(
  { manifest, sessions, encoder, shortlist }: Surroundings,
  variant: PartVariant,
  file: string | undefined,
): OpenedPart | undefined {
  const { ctc, graphs, architecture, vocabulary } = manifest;
  if (file === undefined || ctc === undefined) return undefined;
  const readsTokens = variant === 'fast';
  const listed = variant === EXACT ? undefined : shortlist;
  const model = new CtcModel({
    runtime: sessions.runtime,
    session: () => sessions.get(file),
    encoder,
    vocabulary,
    width: architecture.width,
    readsTokens,
    ...ctc,
    shortlist: listed && { tokens: listed, last: ctc.blankId },
    // A frame has no more candidates than the shortest list and the blank.
    maxCandidates: listed ? Math.min(ctc.maxCandidates, listed.min + 1) : ctc.maxCandidates,
  });
  const open = sessions.opening(...(readsTokens ? [] : [graphs.encoder]), file);
  return { kind: 'lattice', variant, model, open };
}

function dagPart({ manifest, sessions, encoder }: Surroundings): OpenedPart | undefined {
  const { graphs, dag, architecture, vocabulary } = manifest;
  const file = graphs.dag;
  if (file === undefined || dag === undefined) return undefined;
  const session = () => sessions.get(file);
  const { runtime } = sessions;
  const model = new DagModel({ runtime, session, encoder, vocabulary, width: architecture.width, ...dag });
  return { kind: 'lattice', model, open: sessions.opening(graphs.encoder, file) };
}
