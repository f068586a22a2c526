import { ForetokenError } from '@foretoken/core';
import { nearestHint } from '@foretoken/core/kit';
import {
  type GraphTensor,
  invalidFolder,
  type ManifestContent,
  quote,
  type RecurrentManifest,
  type StepInput,
} from '@foretoken/models/internal';
import { GraphFiles } from '../../graphs/graph-files.js';
import { STUDENTS } from '../../import-options.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { heading } from '../../target-options.js';
import { type TensorOf, tensorReader } from '../../tensors/tensor-reader.js';
import { type Architecture, type NamedOptions, refuseQuantised } from '../architecture.js';
import { encoderGraph, stepGraph } from './recurrent-graphs.js';
import { type RecurrentNetworkShape, readRecurrentShape } from './recurrent-shape.js';

const ENCODER = 'encoder.onnx';
const STEP = 'step.onnx';
const MAX_CANDIDATES = 256;

/** Recurrent encoder-decoders and language models of one embedding, GRU, LSTM or plain layers, attention or none, and a linear head. */
export const recurrent: Architecture = {
  name: 'recurrent',
  kinds: ['foretoken-recurrent'],
  tokenizerFile: 'symbols.json',
  build: async (folder, options, pace) => {
    refuseOptions(options);
    refuseQuantised(folder.path, 'a recurrent model', options);
    const shape = readRecurrentShape(folder);
    const read = tensorReader(folder);
    const used = new Set<string>();
    const asked = new Set<string>();
    const tensorOf: TensorOf = (name, dims) => {
      asked.add(name);
      const own = Object.hasOwn(shape.tensors, name) ? shape.tensors[name] : name;
      used.add(own);
      return read(own, dims);
    };
    const { encoder } = shape;
    const graphs = new GraphFiles(options.weights, pace);
    if (encoder !== undefined) await graphs.emit(ENCODER, 'encoder', (graph) => encoderGraph(graph, shape, tensorOf));
    await graphs.emit(STEP, 'step', (graph) => stepGraph(graph, shape, tensorOf));
    assertAllAsked(folder.path, shape.tensors, asked);
    assertAllUsed(folder, used);
    const files = graphs.files();
    for (const [name, content] of folder.tokenizer.files) files.set(name, content);
    const manifest: ManifestContent<RecurrentManifest> = {
      ...heading(options),
      family: 'recurrent',
      tokenizer: folder.tokenizer.names,
      vocabulary: {
        size: shape.vocabularySize,
        endTokenId: shape.endTokenId,
        padTokenId: shape.padTokenId,
        startTokenId: shape.startTokenId,
      },
      limits: { sourceLength: shape.sourceLength, targetLength: shape.targetLength },
      architecture: { description: described(shape) },
      graphs: { encoder: encoder && ENCODER, step: STEP },
      encoder: encoder && {
        inputs: [
          { role: 'tokens', tensor: tensor('token_ids', 'int32', null, null) },
          { role: 'mask', tensor: tensor('mask', 'int32', null, null) },
        ],
        outputs: [...statesOf(shape, ''), ...memoriesOf(shape)],
        vocabularySize: encoder.vocabularySize,
        padTokenId: encoder.padTokenId,
      },
      step: {
        inputs: stepInputs(shape),
        outputs: [...statesOf(shape, 'next_'), tensor('logits', 'float32', null, shape.vocabularySize)],
        scores: 'logits',
        values: 'logits',
        maxCandidates: Math.min(MAX_CANDIDATES, shape.vocabularySize),
      },
      training: { ...options.training, weights: options.weights },
    };
    return { manifest, files };
  },
};

const tensor = (name: string, type: GraphTensor['type'], ...dims: readonly (number | null)[]): GraphTensor => {
  return { name, type, dims };
};

function statesOf({ layer, layers }: RecurrentNetworkShape, prefix: string): readonly GraphTensor[] {
  const names = layer.cell === 'lstm' ? ['hidden', 'memory'] : ['hidden'];
  return names.map((name) => tensor(`${prefix}${name}`, 'float32', layers, null, layer.width));
}

function memoriesOf({ attention, layer }: RecurrentNetworkShape): readonly GraphTensor[] {
  if (attention === undefined) return [];
  const keys = attention.score === 'additive' ? [tensor('source_keys', 'float32', null, null, attention.width)] : [];
  return [
    tensor('source_states', 'float32', null, null, layer.width),
    tensor('source_bias', 'float32', null, null),
    ...keys,
  ];
}

function stepInputs(shape: RecurrentNetworkShape): readonly StepInput[] {
  const from = (name: string) => (shape.encoder === undefined ? undefined : name);
  return [
    { role: 'tokens', tensor: tensor('token_ids', 'int32', null) },
    ...statesOf(shape, '').map((state): StepInput => {
      return { role: 'state', tensor: state, from: from(state.name), to: `next_${state.name}`, batchAxis: 1 };
    }),
    ...memoriesOf(shape).map((memory): StepInput => ({ role: 'memory', tensor: memory, from: memory.name })),
  ];
}

/** A name under `tensors` that no part of the network has would be passed over. */
function assertAllAsked(path: string, tensors: RecurrentNetworkShape['tensors'], asked: ReadonlySet<string>): void {
  const name = Object.keys(tensors).find((name) => !asked.has(name));
  if (name === undefined) return;
  const required = [...asked].sort();
  throw invalidFolder(
    `config.json in ${path}: tensors names ${quote(name)}, which is no tensor of the network that the config describes.${nearestHint(name, required)} Its tensors: ${required.join(', ')}.`,
    { folder: path, file: 'config.json', field: `tensors.${name}`, received: tensors[name], required },
  );
}

/** This format is Foretoken's own: what the config has no place for is a part of the network that would be left out. */
function assertAllUsed({ path, tensors }: WeightsFolder, used: ReadonlySet<string>): void {
  for (const [name, { file }] of tensors) {
    if (used.has(name)) continue;
    throw invalidFolder(
      `${file} in ${path}: tensor ${quote(name)} has no place in the network that config.json describes, so it would say other things than the one that was trained. Tell it in config.json (num_layers, bias, attention, bidirectional, or its name under tensors), or leave the tensor out where it does nothing.`,
      { folder: path, file, field: name, received: name, required: 'a tensor of the network' },
    );
  }
}

function described({ layer, layers, encoder, attention }: RecurrentNetworkShape): string {
  const kind = encoder === undefined ? 'language model' : 'encoder-decoder';
  const both = encoder?.directions === 2 ? ', encoder of two directions' : '';
  const asks = attention === undefined ? '' : `, ${attention.score} attention ${attention.place} the step`;
  return `${layer.cell.toUpperCase()} ${kind}, ${layers} ${layers === 1 ? 'layer' : 'layers'}, width ${layer.width}${both}${asks}`;
}

/** Options that a recurrent model cannot follow. Throws `INVALID_ARGUMENT`. */
function refuseOptions(options: NamedOptions): void {
  for (const option of [...STUDENTS, 'stepLayout'] as const) {
    if (options[option] === undefined) continue;
    throw new ForetokenError('INVALID_ARGUMENT', `A recurrent model takes no ${option}. Leave it out.`, {
      option,
      received: options[option],
    });
  }
}
