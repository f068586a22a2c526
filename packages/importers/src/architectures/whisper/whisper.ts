import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import {
  type ManifestContent,
  readSpeechGeneration,
  readSpeechTokens,
  type WhisperManifest,
} from '@foretoken/models/internal';
import { GraphFiles } from '../../graphs/graph-files.js';
import { STUDENTS } from '../../import-options.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { heading } from '../../target-options.js';
import { tensorReader } from '../../tensors/tensor-reader.js';
import { productsOf } from '../../tensors/weight-precision.js';
import type { ModelContent } from '../../write-model.js';
import type { Architecture, NamedOptions } from '../architecture.js';
import { emitCausalStep } from '../causal/causal-step.js';
import { emitWhisperEncoder } from './encoder-graph.js';
import { stepNetwork } from './step-network.js';
import { readWhisperShape } from './whisper-shape.js';

const ENCODER = 'encoder.onnx';
const STEP = 'step.onnx';
const MAX_CANDIDATES = 256;

/** Whisper (Radford et al., 2022): an encoder of sound and a decoder of text, from weights of transformers or CTranslate2. */
export const whisper: Architecture = {
  name: 'whisper',
  kinds: ['whisper'],
  build,
};

async function build(folder: WeightsFolder, options: NamedOptions, pace: Yielder): Promise<ModelContent> {
  refuseOptions(folder, options);
  const { weights } = options;
  const shape = readWhisperShape(folder);
  const { vocabularySize, width, encoder, decoder, mels, sourcePositions, targetPositions } = shape;
  const { start, end, speech } = readSpeechTokens(folder, vocabularySize);
  const named = folder.tokenizer.namedTokens(vocabularySize);
  const { pad, suppressed, suppressedFirst, ...read } = readSpeechGeneration(
    folder,
    vocabularySize,
    targetPositions,
    named,
  );
  const notes = [...(folder.notes ?? []), ...read.notes];
  const tensorOf = tensorReader(folder);
  const precision = productsOf(weights);
  const graphs = new GraphFiles(weights, pace);
  await graphs.emit(ENCODER, 'whisper-encoder', (graph) => emitWhisperEncoder(graph, shape, tensorOf, precision));
  const tokens = { always: suppressed, first: suppressedFirst };
  const network = stepNetwork(shape, tensorOf, tokens, precision);
  await graphs.emit(STEP, 'whisper-step', (graph) => emitCausalStep(graph, network));
  const files = graphs.files();
  for (const [name, content] of folder.tokenizer.files) files.set(name, content);
  for (const note of notes) options.onNote?.(note);
  const manifest: ManifestContent<WhisperManifest> = {
    ...heading(options),
    family: 'whisper',
    tokenizer: 'tokenizer.json',
    vocabulary: { size: vocabularySize, endTokenId: end, startTokenId: start, padTokenId: pad },
    limits: { sourceLength: 2 * sourcePositions, targetLength: targetPositions },
    architecture: {
      width,
      heads: decoder.heads,
      encoderLayers: encoder.layers,
      decoderLayers: decoder.layers,
    },
    audio: { mels, frames: 2 * sourcePositions },
    speech,
    graphs: { encoder: ENCODER, step: STEP },
    step: { maxCandidates: Math.min(MAX_CANDIDATES, vocabularySize) },
    training: {
      ...options.training,
      weights,
      notUsed:
        notes.length === 0 ? undefined : Object.fromEntries(notes.map(({ field, received }) => [field, received])),
    },
  };
  return { manifest, files };
}

/** Options that say something of other models only. */
function refuseOptions({ path }: WeightsFolder, options: NamedOptions): void {
  for (const option of [...STUDENTS, 'stepLayout'] as const) {
    const received = options[option];
    if (received === undefined) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${path} is a Whisper model, which takes no ${option}. Leave it out.`,
      { option, received },
    );
  }
}
