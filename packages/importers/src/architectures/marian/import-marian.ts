import type { Yielder } from '@foretoken/core/kit';
import type { FileContent, Shortlist } from '@foretoken/models/folder';
import type { SourceTokens } from '../../blocks/source-tokens.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import { GraphFiles } from '../../graphs/graph-files.js';
import { type GenerationFacts, readGeneration } from '../../readers/hugging-face/generation-config.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { type ImportedStudents, importStudents, type StudentFolders } from '../../students/import-students.js';
import { tensorReader } from '../../tensors/tensor-reader.js';
import { foldBiases, foldFirstLayers } from './fold-biases.js';
import { emitEncoder, emitEncoderLayers, emitStep, type StepHead } from './marian-graphs.js';
import { type MarianShape, readMarianShape } from './marian-shape.js';

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
  const shape = readMarianShape(folder);
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
    encoder: shape,
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
  const files = graphs.files();
  for (const [name, content] of folder.tokenizer.files) files.set(name, content);
  return { files, shape, generation, students };
}

/** Names of the step graphs by head, as the manifest lists them. */
export function stepFiles(): Readonly<Record<StepHead, string>> {
  return STEP_FILES;
}
