import { ids, value } from '../../drivers/graph-check.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import { checkHeads, claimsByName } from '../../folder/manifest-agreement.js';
import { invalidFolder, quote } from '../../folder/refusal.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import { EXACT } from '../../parts/model-part.js';
import type { ModelFamily } from '../family.js';
import { type FillMaskManifest, fillMaskSchema } from './fill-mask-manifest.js';
import { FillMaskModel } from './fill-mask-model.js';
import { type FillMaskOutput, fillMaskProcessor } from './fill-mask-processor.js';

const INPUTS: ExpectedValues = {
  token_ids: ids,
  positions: ids,
  mask: ids,
  scored: value('int32', null),
  mode: value('int32', 1),
  k: value('int64', 1),
};

/** Masked language models that were trained on texts: they fill the masks of a text. */
export const fillMaskFamily: ModelFamily<FillMaskManifest, string, FillMaskOutput> = {
  name: 'fill-mask',
  schema: fillMaskSchema,
  claims: (manifest) => claimsByName(manifest),
  checkAgreement({ architecture, canvas, vocabulary }, refuse) {
    checkHeads(architecture, refuse);
    for (const role of ['padTokenId', 'unknownTokenId'] as const) {
      if (canvas.maskTokenId === vocabulary[role]) {
        refuse('canvas.maskTokenId', canvas.maskTokenId, `another token than vocabulary.${role}`);
      }
    }
  },
  checkGraphs: ({ graphs }, check) =>
    check(graphs.fill, INPUTS, {
      scores: value('float32', null, null),
      best_token_ids: value('int32', null, null),
    }),
  async open({ manifest, sessions, threads }) {
    const { architecture, graphs, canvas, vocabulary, limits } = manifest;
    sessions.threads = threads ?? 1;
    const session = () => sessions.get(graphs.fill);
    const { maskTokenId, maxCandidates } = canvas;
    const model = new FillMaskModel({
      runtime: sessions.runtime,
      session,
      vocabulary,
      maskTokenId,
      unplacedTokenId: architecture.unplacedTokenId,
      maxLength: limits.targetLength,
      maxCandidates,
    });
    return [{ kind: 'canvas', model, open: session }];
  },
  processor: ({ manifest, tokenizer }) => {
    const { maskTokenId, mask } = manifest.canvas;
    const spelled = tokenizer.tokenText(maskTokenId);
    if (spelled !== mask) {
      throw invalidFolder(
        `${manifest.tokenizer}: token ${maskTokenId} is ${quote(spelled)}, but the manifest says that the mask is ${quote(mask)}. Fetch or import the tokenizer of this model.`,
        { file: manifest.tokenizer, field: 'canvas.mask', received: spelled, required: mask },
      );
    }
    return fillMaskProcessor(tokenizer, maskTokenId);
  },
  describe: ({ architecture: { layers, width, heads }, canvas: { mask, maskTokenId, maxCandidates } }) => ({
    parts: [{ kind: 'canvas', variant: EXACT }],
    outputs: STEP_MODES,
    outputsOf: 'fill',
    architecture: `${layers} layers, width ${width}, ${heads} heads`,
    facts: [
      ['reads', `a text with ${mask} in it`],
      ['mask', `${mask}, token ${maskTokenId}; at most ${maxCandidates} candidates`],
    ],
  }),
};
