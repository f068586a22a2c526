import { ForetokenError } from '@foretoken/core';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { WeightStore } from '../onnx/weight-store.js';
import { toFloat32 } from '../weights/safetensors.js';
import { configInteger, type WeightsFolder } from '../weights/weights-folder.js';
import { type CtcShape, emitCtc } from './ctc-graph.js';
import { foldBiases } from './fold-biases.js';
import type { TensorOf } from './layers.js';
import { emitEncoder, emitStep, type MarianShape, type StepHead } from './marian-graphs.js';

/** File that all graphs of an imported folder read their weights from. */
export const WEIGHTS_FILE = 'weights.bin';

const STEP_FILES: Readonly<Record<StepHead, string>> = {
  argmax: 'step-argmax.onnx',
  topK: 'step-top-k.onnx',
  topKWithStates: 'step-top-k-states.onnx',
  logProbs: 'step-log-probs.onnx',
  logits: 'step-logits.onnx',
};

/** Graphs and facts of an imported Marian model, ready to be written as a model folder. */
export interface ImportedMarian {
  readonly files: Map<string, Uint8Array | string>;
  readonly shape: MarianShape;
  readonly tokens: { readonly start: number; readonly end: number; readonly pad: number };
  readonly ctc?: { readonly upsample: number };
}

export interface MarianImportOptions {
  readonly weights: 'float32' | 'float16';
  /** Weights folder of a CTC student that reads this model's encoder. */
  readonly ctc?: WeightsFolder;
  /** Token id that stands for the CTC blank in emitted lattices. */
  readonly blankId: number;
}

/**
 * Turns a Marian weights folder (Hugging Face layout) into lean graphs: fused projections, cross-attention keys and
 * values computed once by the encoder, one step graph a head. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function importMarian(folder: WeightsFolder, options: MarianImportOptions): ImportedMarian {
  const shape = readShape(folder);
  const { config } = folder;
  const last = shape.vocabularySize - 1;
  const tokens = {
    start: configInteger(folder, 'decoder_start_token_id', 0, last),
    end: configInteger(folder, 'eos_token_id', 0, last),
    pad: configInteger(folder, 'pad_token_id', 0, last),
  };
  const store = new WeightStore(options.weights);
  const files = new Map<string, Uint8Array | string>();
  const weights = foldBiases(tensorReader(folder), shape);
  const emit = (file: string, name: string, build: (graph: GraphBuilder) => void): void => {
    const graph = new GraphBuilder(store, WEIGHTS_FILE);
    build(graph);
    files.set(file, graph.build(name));
  };
  emit('encoder.onnx', 'marian-encoder', (graph) => emitEncoder(graph, weights, shape));
  const suppressed = suppressedTokens(config.bad_words_ids, shape.vocabularySize);
  for (const head of Object.keys(STEP_FILES) as StepHead[]) {
    emit(STEP_FILES[head], `marian-step-${head}`, (graph) => emitStep(graph, weights, shape, head, suppressed));
  }
  const { ctc } = options;
  let upsample: number | undefined;
  if (ctc !== undefined) {
    const ctcShape = readCtcShape(ctc, shape);
    upsample = ctcShape.upsample;
    const headTokenIds = readHeadTokenIds(ctc, shape.vocabularySize);
    if (headTokenIds.includes(options.blankId)) {
      throw new ForetokenError(
        'INVALID_MODEL_FOLDER',
        `${ctc.path}: the CTC head scores token ${options.blankId}, which must stand for the blank. Train without it.`,
        { folder: ctc.path, field: 'head.token_ids', received: options.blankId },
      );
    }
    for (const [file, precision] of [
      ['ctc.onnx', 'float32'],
      ['ctc-draft.onnx', 'int8'],
    ] as const) {
      emit(file, `ctc-student-${precision}`, (graph) =>
        emitCtc(graph, tensorReader(ctc), ctcShape, headTokenIds, options.blankId, precision),
      );
    }
  }
  files.set(WEIGHTS_FILE, store.bytes());
  files.set('tokenizer.json', folder.tokenizerJson);
  return { files, shape, tokens, ...(upsample === undefined ? {} : { ctc: { upsample } }) };
}

/** Names of the step graphs by head, as the manifest lists them. */
export function stepFiles(): Readonly<Record<StepHead, string>> {
  return STEP_FILES;
}

function tensorReader(folder: WeightsFolder): TensorOf {
  return (name, dims) => ({ dims, values: toFloat32(folder.tensor(name, dims)) });
}

function readShape(folder: WeightsFolder): MarianShape {
  const { config, path } = folder;
  const unsupported = (field: string, required: string): never => {
    throw new ForetokenError(
      'UNSUPPORTED_MODEL',
      `${path}: config.json has ${field} = ${JSON.stringify(config[field])}; the Marian importer requires ${required}.`,
      { folder: path, file: 'config.json', field, received: config[field], required },
    );
  };
  if (config.model_type !== 'marian') unsupported('model_type', '"marian"');
  if (!['swish', 'silu'].includes(String(config.activation_function))) unsupported('activation_function', '"swish"');
  if (config.share_encoder_decoder_embeddings === false) unsupported('share_encoder_decoder_embeddings', 'true');
  if (config.normalize_before === true) unsupported('normalize_before', 'false');
  const width = configInteger(folder, 'd_model', 2, 65_536);
  const heads = configInteger(folder, 'decoder_attention_heads', 1, 1024);
  if (configInteger(folder, 'encoder_attention_heads', 1, 1024) !== heads) {
    unsupported('encoder_attention_heads', `the same as decoder_attention_heads, ${heads}`);
  }
  if (width % heads !== 0 || width % 2 !== 0) unsupported('d_model', `an even multiple of ${heads} heads`);
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width,
    heads,
    encoderFeedForward: configInteger(folder, 'encoder_ffn_dim', 1, 1_000_000),
    decoderFeedForward: configInteger(folder, 'decoder_ffn_dim', 1, 1_000_000),
    encoderLayers: configInteger(folder, 'encoder_layers', 1, 256),
    decoderLayers: configInteger(folder, 'decoder_layers', 1, 256),
    maxPositions: configInteger(folder, 'max_position_embeddings', 1, 65_536),
    scaleEmbedding: config.scale_embedding === true,
  };
}

function readCtcShape(folder: WeightsFolder, marian: MarianShape): CtcShape {
  const width = configInteger(folder, 'd_model', 2, 65_536);
  const vocabularySize = configInteger(folder, 'vocab_size', 3, 1_000_000);
  for (const [field, received, required] of [
    ['model_type', folder.config.model_type, 'foretoken-ctc'],
    ['d_model', width, marian.width],
    ['vocab_size', vocabularySize, marian.vocabularySize],
  ] as const) {
    if (received !== required) {
      throw new ForetokenError(
        'INVALID_MODEL_FOLDER',
        `${folder.path}: config.json has ${field} = ${String(received)}, but a CTC student of this model needs ${required}.`,
        { folder: folder.path, file: 'config.json', field, received, required },
      );
    }
  }
  const frameLayers = configInteger(folder, 'frame_layers', 0, 256);
  return {
    width,
    heads: configInteger(folder, 'attention_heads', 1, 1024),
    feedForward: configInteger(folder, 'ffn_dim', 1, 1_000_000),
    sourceLayers: configInteger(folder, 'source_layers', 0, 256),
    frameLayers,
    draftFrameLayers:
      folder.config.draft_frame_layers === undefined
        ? frameLayers
        : configInteger(folder, 'draft_frame_layers', 0, frameLayers),
    upsample: configInteger(folder, 'upsample', 1, 16),
    maxPositions: configInteger(folder, 'max_position_embeddings', 1, 1_000_000),
  };
}

/** Token ids of the head's rows, without the blank. */
function readHeadTokenIds(folder: WeightsFolder, vocabularySize: number): number[] {
  const ids = folder.integers('head.token_ids');
  const wrong = ids.find((id) => id < 0 || id >= vocabularySize);
  if (wrong !== undefined) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${folder.path}: head.token_ids holds ${wrong}, outside the vocabulary of ${vocabularySize}.`,
      { folder: folder.path, field: 'head.token_ids', received: wrong, size: vocabularySize },
    );
  }
  return ids;
}

/** Tokens a Marian config forbids, such as the padding: single-token entries of `bad_words_ids`. */
function suppressedTokens(badWords: unknown, vocabularySize: number): number[] {
  if (!Array.isArray(badWords)) return [];
  return badWords
    .filter((entry): entry is [number] => Array.isArray(entry) && entry.length === 1 && Number.isInteger(entry[0]))
    .map(([tokenId]) => tokenId)
    .filter((tokenId) => tokenId >= 0 && tokenId < vocabularySize);
}
