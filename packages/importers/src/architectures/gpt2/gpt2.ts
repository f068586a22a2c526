import { type Activation, activate } from '../../blocks/activation.js';
import { attend } from '../../blocks/attention.js';
import type { BlockContext, ProductPrecision } from '../../blocks/block-context.js';
import { conv1d } from '../../blocks/conv1d.js';
import { embeddingTable, embedTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { layerNorm } from '../../blocks/norms.js';
import type { Value } from '../../graphs/graph-builder.js';
import { configHeads, configInteger, unsupportedConfig } from '../../readers/hugging-face/config-fields.js';
import { configFlag, configNumber } from '../../readers/hugging-face/config-values.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { type TensorOf, tensorReader } from '../../tensors/tensor-reader.js';
import type { Architecture } from '../architecture.js';
import { type CausalShape, causalContent } from '../causal/causal-content.js';
import type { CausalInputs, CausalNetwork, CausalStates } from '../causal/causal-step.js';
import { activationOf } from '../config-activation.js';

const HEAD = 'lm_head.weight';

/** GPT-2: pre-norm layers with learned positions. */
export const gpt2: Architecture = {
  name: 'gpt2',
  kinds: ['gpt2'],
  build: async (folder, options, pace) => {
    const shape = readShape(folder);
    const tensorOf = tensorReader(folder);
    // Checkpoints of the model alone leave out the prefix of the model with a head.
    const prefix = folder.tensors.has('transformer.wte.weight') ? 'transformer.' : '';
    const own: TensorOf = (name, dims) => tensorOf(`${prefix}${name}`, dims);
    // A matrix of its own that scores states is beside the model, not in it.
    const head: TensorOf = (name, dims) => (name === HEAD ? tensorOf(name, dims) : own(name, dims));
    return causalContent(folder, options, pace, {
      shape,
      network: (suppressed, precision) => network(shape, head, suppressed, precision),
    });
  },
};

interface Gpt2Shape extends CausalShape {
  readonly activation: Activation;
  /** The table of tokens scores states, too. */
  readonly tied: boolean;
  /** Products of queries and keys are divided by the root of a head's width. */
  readonly scaled: boolean;
  /** They are divided by the layer's number, from 1, as well. */
  readonly scaledByLayer: boolean;
}

function readShape(folder: WeightsFolder): Gpt2Shape {
  const { config } = folder;
  if (configFlag(folder, 'add_cross_attention', false)) unsupportedConfig(folder, 'add_cross_attention', 'false');
  const width = configInteger(folder, 'n_embd', 2, 65_536);
  const heads = configHeads(folder, width, 'n_head');
  const inner = config.n_inner === undefined || config.n_inner === null;
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width,
    layers: configInteger(folder, 'n_layer', 1, 256),
    heads,
    keyValueHeads: heads,
    headWidth: width / heads,
    feedForward: inner ? 4 * width : configInteger(folder, 'n_inner', 1, 1_000_000),
    positions: configInteger(folder, 'n_positions', 1, 65_536),
    epsilon: configNumber(folder, 'layer_norm_epsilon', 1e-5, 0, 1),
    activation: activationOf(folder, 'activation_function', config.activation_function ?? 'gelu_new'),
    tied: configFlag(folder, 'tie_word_embeddings', true),
    scaled: configFlag(folder, 'scale_attn_weights', true),
    scaledByLayer: configFlag(folder, 'scale_attn_by_inverse_layer_idx', false),
  };
}

function network(
  shape: Gpt2Shape,
  tensorOf: TensorOf,
  suppressed: readonly number[],
  precision: ProductPrecision,
): CausalNetwork {
  const { vocabularySize, width, layers, positions, epsilon, tied } = shape;
  const quantised = precision !== 'float32';
  const table = (name: string, rows: number): TokenEmbedding => ({ name, table: tensorOf(name, [rows, width]) });
  const embedding = { ...table('wte.weight', vocabularySize), quantised };
  const places = table('wpe.weight', positions);
  return {
    vocabularySize,
    width,
    layers,
    keyValueWidth: width,
    tensorOf,
    head: tied ? embedding : { ...table(HEAD, vocabularySize), quantised },
    suppressed,
    precision,
    emitLayers: (context, inputs) => {
      const { graph } = context;
      const placed = graph.op('Gather', [embeddingTable(graph, places), inputs.positions]);
      const x = graph.op('Add', [embedTokens(graph, embedding, inputs.tokenIds), placed]);
      return emitLayers(context, shape, x, inputs);
    },
    emitNorm: (context, states) => layerNorm(context, states, 'ln_f', width, epsilon),
  };
}

function emitLayers(context: BlockContext, shape: Gpt2Shape, x: Value, { past, bias }: CausalInputs): CausalStates {
  const { graph } = context;
  const { width, heads, feedForward, epsilon, activation, headWidth, scaled, scaledByLayer } = shape;
  const rootOfWidth = scaled ? Math.sqrt(headWidth) : 1;
  const sizes = graph.constant('int64', [3], [width, width, width]);
  let states = x;
  const add = (added: Value): void => {
    states = graph.op('Add', [states, added]);
  };
  const fresh = past.map((cached, layer) => {
    const prefix = `h.${layer}`;
    const norm = (name: string): Value => layerNorm(context, states, `${prefix}.${name}`, width, epsilon);
    const fused = conv1d(context, norm('ln_1'), `${prefix}.attn.c_attn`, { inputs: width, outputs: 3 * width });
    const [query, keys, values] = graph.ops('Split', [fused, sizes], 3, { axis: 2 });
    const inputs = {
      query,
      key: graph.op('Concat', [cached.keys, keys], { axis: 1 }),
      value: graph.op('Concat', [cached.values, values], { axis: 1 }),
      mask: bias,
    };
    const attended = attend(context, heads, inputs, heads, 1 / (rootOfWidth * (scaledByLayer ? layer + 1 : 1)));
    add(conv1d(context, attended, `${prefix}.attn.c_proj`, { inputs: width, outputs: width }));
    const up = conv1d(context, norm('ln_2'), `${prefix}.mlp.c_fc`, { inputs: width, outputs: feedForward });
    const active = activate(context, activation, up);
    add(conv1d(context, active, `${prefix}.mlp.c_proj`, { inputs: feedForward, outputs: width }));
    return { keys, values };
  });
  return { states, fresh };
}
