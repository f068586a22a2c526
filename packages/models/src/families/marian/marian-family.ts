import { stepOutputs } from '../../drivers/step-graphs.js';
import { claimsByName } from '../../folder/manifest-agreement.js';
import { loadCode } from '../../load-code.js';
import { EXACT, type PartName } from '../../parts/model-part.js';
import { textProcessor } from '../../processors/text-processor.js';
import type { ModelFamily } from '../family.js';
import { checkMarianAgreement } from './marian-agreement.js';
import { type MarianManifest, marianSchema } from './marian-manifest.js';
import { checkMarianGraphs } from './marian-signatures.js';
import { openMarian } from './open-marian.js';
import { checkStudentGraphs } from './student-signatures.js';

/** Marian translation models, with the students that read the same encoder. */
export const marianFamily: ModelFamily<MarianManifest> = {
  name: 'marian',
  schema: marianSchema,
  claims: (manifest) => claimsByName(manifest, { ngrams: manifest.ngrams, shortlist: manifest.shortlist }),
  checkAgreement: checkMarianAgreement,
  async checkGraphs(manifest, check) {
    await checkMarianGraphs(manifest, check);
    await checkStudentGraphs(manifest, check);
  },
  async checkSideFiles(folder, manifest) {
    const { readSideFiles } = await loadCode('students', () => import('./side-files.js'));
    await readSideFiles(folder, manifest);
  },
  open: openMarian,
  processor: ({ tokenizer }) => textProcessor(tokenizer),
  describe(manifest) {
    const { width, heads, encoderLayers, decoderLayers } = manifest.architecture;
    return {
      parts: partsOf(manifest),
      outputs: [...stepOutputs(manifest.graphs.step)],
      outputsOf: 'step',
      architecture: `${encoderLayers} encoder and ${decoderLayers} decoder layers, width ${width}, ${heads} heads`,
      facts: factsOf(manifest),
    };
  },
};

/** In the order in which they are opened. */
function partsOf({ graphs, ngrams }: MarianManifest): PartName[] {
  const parts: (PartName & { readonly file: unknown })[] = [
    { kind: 'autoregressive', variant: EXACT, file: graphs.step },
    { kind: 'lattice', lattice: 'ctc', variant: EXACT, file: graphs.ctc },
    { kind: 'lattice', lattice: 'ctc', variant: 'draft', file: graphs.ctcDraft },
    { kind: 'lattice', lattice: 'ctc', variant: 'fast', file: graphs.ctcFast },
    { kind: 'lattice', lattice: 'dag', variant: EXACT, file: graphs.dag },
    { kind: 'canvas', variant: EXACT, file: graphs.canvas },
    { kind: 'edit', variant: EXACT, file: graphs.edit },
    { kind: 'languageModel', variant: EXACT, file: ngrams },
  ];
  return parts.filter(({ file }) => file !== undefined).map(({ file: _file, ...name }) => name);
}

function factsOf({ ctc, canvas, dag, edit, graphs }: MarianManifest): (readonly [string, string])[] {
  const facts: (readonly [string, string | undefined])[] = [
    ['CTC', ctc && `${ctc.upsample} frames a source token, up to ${ctc.maxCandidates} candidates`],
    [
      'canvas',
      canvas &&
        `${canvas.layers} layers, up to ${canvas.maxLength} positions, ${Object.keys(graphs.canvas?.fill ?? {}).join(', ')}${canvas.lengths === undefined ? '' : ', predicts lengths'}${readsHints(graphs.canvas)}`,
    ],
    ['DAG', dag && `${dag.upsample} vertices a source token, up to ${dag.maxCandidates} candidates`],
    ['edit', edit && `${edit.layers} layers, up to ${edit.maxLength} positions${readsHints(graphs.edit)}`],
  ];
  return facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
}

function readsHints(files: { readonly openHints?: string | undefined } | undefined): string {
  return files?.openHints !== undefined ? ', reads hints of the CTC student' : '';
}
