import type { Yielder } from '@foretoken/core';
import type { Shortlist } from '../drivers/shortlist.js';
import { quote, unsupportedModel } from '../folder/refusal.js';
import type { FileContent } from '../folder/write-folder.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { configInteger, type WeightsFolder } from '../weights/weights-folder.js';
import { foldBiases, foldFirstLayers } from './fold-biases.js';
import { type GenerationFacts, readGeneration } from './generation-config.js';
import { GraphFiles } from './graph-files.js';
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
  readonly files: Map<string, FileContent>;
  readonly shape: MarianShape;
  readonly generation: GenerationFacts;
  readonly students: ImportedStudents;
}

export interface MarianImportOptions {
  readonly weights: 'float32' | 'float16';
  /** Weights folders of students that read this model's encoder. */
  readonly students: StudentFolders;
  /** Token id that stands for the CTC blank in emitted lattices. */
  readonly blankId: number;
  readonly shortlist?: Shortlist;
  readonly pace: Yielder;
}

/**
 * Turns a Marian weights folder (Hugging Face layout) into lean graphs: fused projections, cross-attention keys and
 * values computed once by the encoder, one step graph a head. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function importMarian(folder: WeightsFolder, options: MarianImportOptions): Promise<ImportedMarian> {
  const shape = readShape(folder);
  const generation = readGeneration(folder, shape.vocabularySize);
  const { suppressed } = generation;
  const graphs = new GraphFiles(options.weights, options.pace);
  const { emit } = graphs;
  const weights = foldBiases(tensorReader(folder), shape);
  await emit('encoder.onnx', 'marian-encoder', (graph) => emitEncoder(graph, weights, shape));
  for (const head of Object.keys(STEP_FILES) as StepHead[]) {
    await emit(STEP_FILES[head], `marian-step-${head}`, (graph) => emitStep(graph, weights, shape, head, suppressed));
  }
  const encode8Bit = (graph: GraphBuilder, source: SourceTokens, encoderLayers: number): Value => {
    if (encoderLayers === shape.encoderLayers) return emitEncoderLayers(graph, weights, shape, source, 'int8');
    const stack = 'ctcFast.encoder_layers';
    const first = foldFirstLayers(tensorReader(folder), shape, encoderLayers, stack);
    return emitEncoderLayers(graph, first, { ...shape, encoderLayers }, source, 'int8', stack);
  };
  const students = await importStudents(options.students, {
    marian: shape,
    embedding: {
      name: 'model.shared.weight',
      table: tensorReader(folder)('model.shared.weight', [shape.vocabularySize, shape.width]),
    },
    blankId: options.blankId,
    emit,
    pace: options.pace,
    encode8Bit,
    ...(options.shortlist === undefined ? {} : { shortlist: options.shortlist }),
  });
  const files = await graphs.finish();
  files.set('tokenizer.json', folder.tokenizerJson);
  return { files, shape, generation, students };
}

/** Names of the step graphs by head, as the manifest lists them. */
export function stepFiles(): Readonly<Record<StepHead, string>> {
  return STEP_FILES;
}

function readShape(folder: WeightsFolder): MarianShape {
  const { config, path } = folder;
  const unsupported = (field: string, required: string): never => {
    throw unsupportedModel(
      `${path}: config.json has ${field} = ${quote(config[field])}; the Marian importer requires ${required}.`,
      { folder: path, file: 'config.json', field, received: config[field], required },
    );
  };
  if (config.model_type !== 'marian') unsupported('model_type', '"marian"');
  if (config.activation_function !== 'swish' && config.activation_function !== 'silu')
    unsupported('activation_function', '"swish"');
  if (config.share_encoder_decoder_embeddings === false) unsupported('share_encoder_decoder_embeddings', 'true');
  if (config.normalize_before === true) unsupported('normalize_before', 'false');
  if (config.normalize_embedding === true) unsupported('normalize_embedding', 'false');
  if (config.add_final_layer_norm === true) unsupported('add_final_layer_norm', 'false');
  if (config.static_position_embeddings === false) unsupported('static_position_embeddings', 'true');
  if (config.tie_word_embeddings === false) unsupported('tie_word_embeddings', 'true');
  if (![undefined, null, config.vocab_size].includes(config.decoder_vocab_size as null)) {
    unsupported('decoder_vocab_size', `the same as vocab_size, ${quote(config.vocab_size)}`);
  }
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
