import { checkHeads, claimsByName } from '../../folder/manifest-agreement.js';
import { EXACT } from '../../parts/model-part.js';
import { textBeginningProcessor } from '../../processors/text-processor.js';
import type { ModelFamily } from '../family.js';
import { type MaskedLanguageModelManifest, maskedLanguageModelSchema } from './masked-lm-manifest.js';
import { checkMaskedLanguageModelGraphs, loadMaskedLanguageModel } from './masked-lm-model.js';

/** Masked language models: they fill canvases and read no source. */
export const maskedLanguageModelFamily: ModelFamily<MaskedLanguageModelManifest> = {
  name: 'masked-lm',
  schema: maskedLanguageModelSchema,
  claims: (manifest) => claimsByName(manifest),
  checkAgreement({ architecture, canvas, vocabulary }, refuse) {
    checkHeads(architecture, refuse);
    if (canvas.maskTokenId === vocabulary.endTokenId) {
      refuse('canvas.maskTokenId', canvas.maskTokenId, 'another token than the end token');
    }
  },
  checkGraphs: checkMaskedLanguageModelGraphs,
  async open({ manifest, sessions, threads }) {
    sessions.threads = threads ?? 1;
    const open = () => sessions.get(manifest.graphs.fill.topK);
    return [{ kind: 'canvas', model: loadMaskedLanguageModel(manifest, sessions), open }];
  },
  // A text is how the output begins.
  processor: ({ tokenizer }) => textBeginningProcessor(tokenizer),
  describe: ({ architecture: { layers, width, heads }, graphs }) => ({
    parts: [{ kind: 'canvas', variant: EXACT }],
    outputs: Object.keys(graphs.fill),
    outputsOf: 'fill',
    architecture: `${layers} layers, width ${width}, ${heads} heads`,
    facts: [],
  }),
};
