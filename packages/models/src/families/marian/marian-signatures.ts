import { type CheckGraph, frameInputs, ids, TOKEN_FRAME_INPUTS, value } from '../../drivers/graph-check.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import type { HeadGraphFiles, MarianManifest } from './marian-manifest.js';

/** Checks the encoder, the step graphs and the CTC student of a Marian folder. Throws `INVALID_MODEL_FOLDER`. */
export async function checkMarianGraphs(manifest: MarianManifest, check: CheckGraph): Promise<void> {
  const { width, decoderLayers } = manifest.architecture;
  const { step } = manifest.graphs;
  const embedded = value('float32', null, null, width);
  const tokens: ExpectedValues = 'body' in step ? { embedded } : { token_ids: ids };
  await check(
    manifest.graphs.encoder,
    { ...tokens, positions: ids, mask: ids },
    {
      states: value('float32', null, null, width),
      cross: value('float32', 2 * decoderLayers, null, null, width),
    },
  );
  const parts = Array.from({ length: 2 * decoderLayers }, (_, index) => index).flatMap((index) =>
    [`past_${index}`, `cross_${index}`].map((name) => [name, value('float32', null, null, width)] as const),
  );
  const stepInputs: ExpectedValues = {
    ...tokens,
    positions: ids,
    scored: value('int32', null),
    attention_bias: value('float32', null, 1, null, null),
    cross_bias: value('float32', null, 1, null, null),
    ...Object.fromEntries(parts),
  };
  const added = { new: value('float32', null, null, 2 * decoderLayers * width) };
  if ('body' in step) {
    await check(step.body, stepInputs, { ...added, states: value('float32', null, width) });
    await check(step.vocabulary, vocabularyInputs(width), {
      scores: value('float32', null, null),
      best_token_ids: value('int32', null, null),
    });
  } else await checkHeads(step, stepInputs, added, manifest, check);
  await checkCtc(manifest, check);
}

/** See `VocabularyGraph`. */
const vocabularyInputs = (width: number): ExpectedValues => ({
  mode: value('int32', 1),
  token_ids: value('int32', null),
  states: value('float32', null, width),
  k: value('int64', 1),
});

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
    if (file === undefined) continue;
    const extra: ExpectedValues = kind.startsWith('topK') ? { k: value('int64', 1) } : {};
    await check(file, { ...inputs, ...extra }, { ...outputs, ...headOutputs[kind] });
  }
}

async function checkCtc(manifest: MarianManifest, check: CheckGraph): Promise<void> {
  const shortlist = manifest.shortlist === undefined ? {} : { shortlist: value('int32', null) };
  const { ctc, ctcDraft, ctcFast } = manifest.graphs;
  const ofStates = frameInputs(manifest.architecture.width);
  for (const [file, inputs] of [
    [ctc, ofStates],
    [ctcDraft, { ...ofStates, ...shortlist }],
    [ctcFast, { ...TOKEN_FRAME_INPUTS, ...shortlist }],
  ] as const) {
    if (file === undefined) continue;
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
