import { type CheckGraph, frameInputs, ids, TOKEN_FRAME_INPUTS, value } from '../../drivers/graph-check.js';
import { checkBodyGraphs, encoderOutputs, newParts, stepInputs } from '../../drivers/step-signatures.js';
import type { HeadGraphFiles } from '../../folder/manifest.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import type { MarianManifest } from './marian-manifest.js';

/** Checks the encoder, the step graphs and the CTC student of a Marian folder. Throws `INVALID_MODEL_FOLDER`. */
export async function checkMarianGraphs(manifest: MarianManifest, check: CheckGraph): Promise<void> {
  const { width, decoderLayers } = manifest.architecture;
  const { step } = manifest.graphs;
  const shape = { width, kept: width, layers: decoderLayers };
  const tokens: ExpectedValues =
    'body' in step ? { embedded: value('float32', null, null, width) } : { token_ids: ids };
  await check(manifest.graphs.encoder, { ...tokens, positions: ids, mask: ids }, encoderOutputs(shape));
  if ('body' in step) await checkBodyGraphs(step, shape, check);
  else await checkHeads(step, { ...tokens, ...stepInputs(shape) }, newParts(shape), manifest, check);
  await checkCtc(manifest, check);
}

async function checkHeads(
  step: HeadGraphFiles,
  inputs: ExpectedValues,
  outputs: ExpectedValues,
  { architecture: { width }, vocabulary }: MarianManifest,
  check: CheckGraph,
): Promise<void> {
  const topK = { best_0: value('float32', null, null), best_token_ids: value('int32', null, null) };
  const headOutputs: Readonly<Record<string, ExpectedValues>> = {
    argmax: { best: value('int32', null, 1), score_0: value('float32', null, 1) },
    topK,
    topKWithStates: { ...topK, states: value('float32', null, width) },
    logProbs: { log_probs: value('float32', null, vocabulary.size) },
    logits: { logits: value('float32', null, vocabulary.size) },
  };
  for (const [kind, file] of Object.entries(step)) {
    if (!file) continue;
    const k = kind.startsWith('topK') ? value('int64', 1) : undefined;
    await check(file, { ...inputs, k }, { ...outputs, ...headOutputs[kind] });
  }
}

async function checkCtc(manifest: MarianManifest, check: CheckGraph): Promise<void> {
  const shortlist = manifest.shortlist ? value('int32', null) : undefined;
  const { ctc, ctcDraft, ctcFast } = manifest.graphs;
  const ofStates = frameInputs(manifest.architecture.width);
  for (const [file, inputs] of [
    [ctc, ofStates],
    [ctcDraft, { ...ofStates, shortlist }],
    [ctcFast, { ...TOKEN_FRAME_INPUTS, shortlist }],
  ] as const) {
    if (!file) continue;
    await check(
      file,
      { ...inputs, k: value('int64', 1) },
      {
        best_token_ids: value('int32', null, null, null),
        best_log_probs: value('float32', null, null, null),
        blank_log_probs: value('float32', null, null),
      },
    );
  }
}
