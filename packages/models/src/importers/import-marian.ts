import { ForetokenError } from '@foretoken/core';
import type { Shortlist } from '../families/shortlist.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { WeightStore } from '../onnx/weight-store.js';
import { configInteger, type WeightsFolder } from '../weights/weights-folder.js';
import { foldBiases, foldFirstLayers } from './fold-biases.js';
import { graphEmitter, WEIGHTS_FILE } from './graph-files.js';
import { type ImportedStudents, importStudents, type StudentFolders } from './import-students.js';
import {
  emitEncoder,
  emitEncoderLayers,
  emitStep,
  type MarianShape,
  type SourceTokens,
  type StepHead,
} from './marian-graphs.js';
import { tensorReader } from './student-config.js';

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
  readonly students: ImportedStudents;
}

export interface MarianImportOptions {
  readonly weights: 'float32' | 'float16';
  /** Weights folders of students that read this model's encoder. */
  readonly students: StudentFolders;
  /** Token id that stands for the CTC blank in emitted lattices. */
  readonly blankId: number;
  readonly shortlist?: Shortlist;
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
  const emit = graphEmitter(store, files);
  emit('encoder.onnx', 'marian-encoder', (graph) => emitEncoder(graph, weights, shape));
  const suppressed = suppressedTokens(config.bad_words_ids, shape.vocabularySize);
  for (const head of Object.keys(STEP_FILES) as StepHead[]) {
    emit(STEP_FILES[head], `marian-step-${head}`, (graph) => emitStep(graph, weights, shape, head, suppressed));
  }
  const encode8Bit = (graph: GraphBuilder, source: SourceTokens, encoderLayers: number): Value => {
    if (encoderLayers === shape.encoderLayers) return emitEncoderLayers(graph, weights, shape, source, 'int8');
    const stack = 'ctcFast.encoder_layers';
    const first = foldFirstLayers(tensorReader(folder), shape, encoderLayers, stack);
    return emitEncoderLayers(graph, first, { ...shape, encoderLayers }, source, 'int8', stack);
  };
  const students = importStudents(options.students, {
    marian: shape,
    embedding: {
      name: 'model.shared.weight',
      table: tensorReader(folder)('model.shared.weight', [last + 1, shape.width]),
    },
    blankId: options.blankId,
    emit,
    encode8Bit,
    ...(options.shortlist === undefined ? {} : { shortlist: options.shortlist }),
  });
  files.set(WEIGHTS_FILE, store.bytes());
  files.set('tokenizer.json', folder.tokenizerJson);
  return { files, shape, tokens, students };
}

/** Names of the step graphs by head, as the manifest lists them. */
export function stepFiles(): Readonly<Record<StepHead, string>> {
  return STEP_FILES;
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

/** Tokens a Marian config forbids, such as the padding: single-token entries of `bad_words_ids`. */
function suppressedTokens(badWords: unknown, vocabularySize: number): number[] {
  if (!Array.isArray(badWords)) return [];
  return badWords
    .filter((entry): entry is [number] => Array.isArray(entry) && entry.length === 1 && Number.isInteger(entry[0]))
    .map(([tokenId]) => tokenId)
    .filter((tokenId) => tokenId >= 0 && tokenId < vocabularySize);
}
