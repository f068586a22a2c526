import type { Yielder } from '@foretoken/core/kit';
import {
  type FileContent,
  type GenerationFacts,
  type MarianManifest,
  readGeneration,
  type Shortlist,
} from '@foretoken/models/internal';
import type { SourceTokens } from '../../blocks/source-tokens.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import { type EmitGraph, GraphFiles } from '../../graphs/graph-files.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { type EmittedStudents, emitStudents } from '../../students/emit-students.js';
import { openStudents } from '../../students/open-students.js';
import { readStudentConfigs, type StudentFolders } from '../../students/student-configs.js';
import { type TensorOf, tensorReader } from '../../tensors/tensor-reader.js';
import { productsOf, type WeightPrecision } from '../../tensors/weight-precision.js';
import { emitEncoder, emitEncoderLayers } from '../encoder-decoder/encoder-graph.js';
import type { EncoderDecoderNetwork } from '../encoder-decoder/network.js';
import { emitStep, emitStepBody, type StepHead } from '../encoder-decoder/step-graph.js';
import { emitVocabulary } from '../encoder-decoder/vocabulary-graph.js';
import { foldableBiases, foldBiases, foldFirstLayers } from './fold-biases.js';
import { marianEmbedding, marianNetwork } from './marian-network.js';
import { type MarianShape, readMarianShape } from './marian-shape.js';

/** How the step's graphs are divided: a graph for each head, or one body and one graph with the vocabulary's table. */
export type StepLayout = 'heads' | 'body';

const HEAD_FILES: Readonly<Record<StepHead, string>> = {
  argmax: 'step-argmax.onnx',
  topK: 'step-top-k.onnx',
  topKWithStates: 'step-top-k-states.onnx',
  logProbs: 'step-log-probs.onnx',
  logits: 'step-logits.onnx',
};
const BODY_FILES = { body: 'step-body.onnx', vocabulary: 'vocabulary.onnx' };

/**
 * Weights of a decoder and its table from which a second copy of them, one for each head that is used, costs more than a second
 * call for each step: 32 MB as fp32. A call costs some 0.1 ms, and a step of this size takes 3 ms or more.
 */
const LARGE_STEP = 8_000_000;

/** Graphs and facts of an imported Marian model, ready to be written as a model folder. */
export interface ImportedMarian {
  readonly files: Map<string, FileContent>;
  readonly shape: MarianShape;
  readonly generation: GenerationFacts;
  readonly step: MarianManifest['graphs']['step'];
  readonly students: EmittedStudents;
}

export interface MarianImportOptions {
  readonly weights: WeightPrecision;
  /** Weights folders of students that read this model's encoder. */
  readonly students: StudentFolders;
  /** Token id that stands for the CTC blank in emitted lattices. */
  readonly blankId: number;
  readonly shortlist?: Shortlist | undefined;
  /** How the step is divided; by default its size decides. */
  readonly layout?: StepLayout | undefined;
  readonly pace: Yielder;
}

/**
 * Turns a Marian weights folder (Hugging Face layout) into lean graphs: fused projections, cross-attention keys and
 * values computed once by the encoder. In three passes: what the configs say, then where the weights are, then graphs. Throws
 * `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function importMarian(folder: WeightsFolder, options: MarianImportOptions): Promise<ImportedMarian> {
  const { weights, blankId, shortlist, pace } = options;
  const shape = readMarianShape(folder);
  const { vocabularySize } = shape;
  const generation = readGeneration(folder, vocabularySize, folder.tokenizer.namedTokens(vocabularySize));
  const configs = readStudentConfigs(options.students, shape);

  const tensorOf = tensorReader(folder);
  const embedding = marianEmbedding(folder, tensorOf, shape);
  const precision = productsOf(weights);
  const foldable = await foldableBiases(tensorOf, shape, pace);
  const network = marianNetwork(
    shape,
    foldBiases(tensorOf, shape, foldable),
    { ...embedding, quantised: precision !== 'float32' },
    generation.suppressed,
    precision,
  );
  const students = await openStudents(configs, { vocabularySize, embedding, blankId, shortlist, pace });

  const graphs = new GraphFiles(weights, pace);
  const { emit } = graphs;
  const step = await emitNetwork(network, options.layout ?? layoutOf(shape), emit);
  const encode8Bit = firstLayersIn8Bits(network, shape, tensorOf, foldable);
  const emitted = await emitStudents(students, { emit, shortlist: shortlist !== undefined, encode8Bit });
  const files = graphs.files();
  for (const [name, content] of folder.tokenizer.files) files.set(name, content);
  return { files, shape, generation, step, students: emitted };
}

/** Emits encoder and decoder; gives the step's files. */
async function emitNetwork(
  network: EncoderDecoderNetwork,
  layout: StepLayout,
  emit: EmitGraph,
): Promise<MarianManifest['graphs']['step']> {
  if (layout === 'body') {
    await emit('encoder.onnx', 'marian-encoder', (graph) => emitEncoder(graph, network, 'embedded'));
    await emit(BODY_FILES.body, 'marian-step-body', (graph) => emitStepBody(graph, network));
    await emit(BODY_FILES.vocabulary, 'marian-vocabulary', (graph) => emitVocabulary(graph, network));
    return BODY_FILES;
  }
  await emit('encoder.onnx', 'marian-encoder', (graph) => emitEncoder(graph, network, 'ids'));
  for (const [head, file] of Object.entries(HEAD_FILES) as [StepHead, string][]) {
    await emit(file, `marian-step-${head}`, (graph) => emitStep(graph, network, head));
  }
  return HEAD_FILES;
}

function layoutOf({ vocabularySize, width, decoderLayers, decoderFeedForward }: MarianShape): StepLayout {
  const layer = 6 * width * width + 2 * width * decoderFeedForward;
  return vocabularySize * width + decoderLayers * layer >= LARGE_STEP ? 'body' : 'heads';
}

/** The encoder's first layers for a student that reads them, with 8-bit products. */
function firstLayersIn8Bits(
  network: EncoderDecoderNetwork,
  shape: MarianShape,
  tensorOf: TensorOf,
  foldable: ReadonlySet<string>,
) {
  return (graph: GraphBuilder, { tokenIds, ...source }: SourceTokens, encoderLayers: number): Value => {
    const given = { kind: 'ids', tokens: tokenIds, ...source } as const;
    if (encoderLayers === shape.encoderLayers) return emitEncoderLayers(graph, network, given, 'int8');
    const stack = 'ctcFast.encoder_layers';
    const first = foldFirstLayers(tensorOf, shape, encoderLayers, stack, foldable);
    const encoder = { ...network.encoder, layers: encoderLayers, prefix: stack };
    return emitEncoderLayers(graph, { ...network, ...first, encoder }, given, 'int8');
  };
}
