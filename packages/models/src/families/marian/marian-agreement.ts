import { checkHeads, type Refuse } from '../../folder/manifest-agreement.js';
import type { MarianManifest } from './marian-manifest.js';

/** Refuses parts that contradict one another. */
export function checkMarianAgreement(manifest: MarianManifest, refuse: Refuse): void {
  checkHeads(manifest.architecture, refuse);
  checkPairs(manifest, refuse);
  checkBoundaries(manifest, refuse);
}

/** A graph without the facts needed to drive it, or facts without their graph. */
function checkPairs(manifest: MarianManifest, refuse: Refuse): void {
  const { graphs, step, ctc, canvas, dag, edit } = manifest;
  for (const [name, graph, facts] of [
    ['ctc', graphs.ctc, ctc],
    ['canvas', graphs.canvas, canvas],
    ['dag', graphs.dag, dag],
    ['edit', graphs.edit, edit],
  ] as const) {
    if ((graph === undefined) === (facts === undefined)) continue;
    const [absent, present] = facts === undefined ? [name, `graphs.${name}`] : [`graphs.${name}`, name];
    refuse(absent, 'missing', `given together with ${present}`);
  }
  for (const name of ['canvas', 'edit'] as const) {
    if (graphs[name]?.openHints !== undefined && ctc === undefined) {
      refuse('ctc', 'missing', `given together with graphs.${name}.openHints`);
    }
  }
  for (const other of ['ctcDraft', 'ctcFast'] as const) {
    if (graphs[other] !== undefined && graphs.ctc === undefined) {
      refuse('graphs.ctc', 'missing', `given together with graphs.${other}`);
    }
  }
  if (manifest.shortlist !== undefined && graphs.ctcDraft === undefined) {
    refuse('graphs.ctcDraft', 'missing', 'given together with shortlist');
  }
  const chooses = (['body', 'topK', 'topKWithStates'] as const).find((name) => Object.hasOwn(graphs.step, name));
  if (chooses !== undefined && step === undefined)
    refuse('step', 'missing', `given together with graphs.step.${chooses}`);
}

/** A canvas whose mask, start and end are the same token could not be read. */
function checkBoundaries({ vocabulary, canvas, dag, edit }: MarianManifest, refuse: Refuse): void {
  const { endTokenId } = vocabulary;
  for (const [field, id] of [
    ['canvas.maskTokenId', canvas?.maskTokenId],
    ['dag.startTokenId', dag?.startTokenId],
    ['edit.placeholderTokenId', edit?.placeholderTokenId],
    ['edit.startTokenId', edit?.startTokenId],
  ] as const) {
    if (id === endTokenId) refuse(field, id, 'another token than the end token');
  }
  if (edit !== undefined && edit.startTokenId === edit.placeholderTokenId) {
    refuse('edit.startTokenId', edit.startTokenId, 'another token than the placeholder');
  }
}
