import { ELEMENT_TYPE } from '@foretoken/models/folder';
import { CONTRIB, type GraphBuilder, type Value } from '../graphs/graph-builder.js';
import { type DeferredDense, quantiseColumns, stackRows, transpose } from '../tensors/matrices.js';
import type { TensorOf } from '../tensors/tensor-reader.js';

export interface LayerShape {
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
}

/**
 * How weight products are computed. `int8` quantises weights by column and activations as they come, over a whole tensor:
 * about twice as fast, but rows influence one another in the last digits, so nothing exact may come of it.
 */
export type ProductPrecision = 'float32' | 'int8';

/** A source's cross-attention keys and values `[batch, source, width]`, and `bias [batch, 1, queries, source]` to add. */
export interface SourceReading {
  readonly keys: Value;
  readonly values: Value;
  readonly bias: Value;
}

/** Emits post-norm Transformer layers with fused operators; `prefix` names the layer in the checkpoint. */
export class LayerEmitter {
  readonly #graph: GraphBuilder;
  readonly #tensorOf: TensorOf;
  readonly #shape: LayerShape;
  readonly #precision: ProductPrecision;
  readonly #folded: ReadonlySet<string>;
  readonly #visibleOf = new Map<Value, Value>();

  /** `folded` names biases that other weights already hold. */
  constructor(
    graph: GraphBuilder,
    tensorOf: TensorOf,
    shape: LayerShape,
    precision: ProductPrecision = 'float32',
    folded: ReadonlySet<string> = new Set(),
  ) {
    this.#folded = folded;
    this.#graph = graph;
    this.#tensorOf = tensorOf;
    this.#shape = shape;
    this.#precision = precision;
  }

  /** `x @ matrix`, and `+ bias` where one is given; the matrix `[in, out]` is kept under `name`. */
  product(x: Value, name: string, matrix: DeferredDense, bias?: Value): Value {
    if (this.#precision === 'float32') {
      const product = this.#graph.op('MatMul', [x, this.#weight(name, matrix)]);
      return bias === undefined ? product : this.#graph.op('Add', [product, bias]);
    }
    const { dims, quantised, scales } = quantiseColumns(matrix);
    const columns = dims[1] as number;
    const inputs = [
      x,
      this.#graph.weightInt8(`${name}.int8`, dims, quantised),
      this.#graph.weight(`${name}.scales`, [columns], scales, true),
      this.#graph.weightInt8(`${name}.zeros`, [columns], new Int8Array(columns)),
      ...(bias === undefined ? [] : [bias]),
    ];
    return this.#graph.op('DynamicQuantizeMatMul', inputs, {}, { domain: CONTRIB });
  }

  /** Queries, keys and values, `[batch, time, width]` each, from one product. */
  queryKeyValue(x: Value, prefix: string): [Value, Value, Value] {
    const { width } = this.#shape;
    const { weight, bias } = this.#fusedProjection(prefix);
    const fused = this.product(x, `${prefix}.qkv.weight`, weight, bias);
    const sizes = this.#graph.constant('int64', [3], [width, width, width]);
    return this.#graph.ops('Split', [fused, sizes], 3, { axis: 2 }) as [Value, Value, Value];
  }

  #crossQuery(x: Value, prefix: string): Value {
    const { width } = this.#shape;
    return this.#linear(x, `${prefix}.q_proj`, width, width, this.#vector(`${prefix}.q_proj.bias`, width));
  }

  /**
   * Attention over all heads; `mask [batch, 1, queries, keys]` holds booleans or numbers to add. The standard operator,
   * because its CPU kernel takes a third of the time of com.microsoft.MultiHeadAttention.
   */
  attention(query: Value, key: Value, value: Value, mask: Value): Value {
    const { heads } = this.#shape;
    return this.#graph.op('Attention', [query, key, value, mask], { q_num_heads: heads, kv_num_heads: heads });
  }

  /** Projects the attended values and closes the block: `LayerNorm(x + out(attended))`. */
  closeAttention(x: Value, attended: Value, prefix: string, norm: string): Value {
    const { width } = this.#shape;
    const name = `${prefix}.out_proj`;
    return this.#addAndNormalise(x, this.#linear(attended, name, width, width, this.#closingBias(name)), norm);
  }

  /**
   * `LayerNorm(x + added)`. The fused SkipLayerNormalization would be one node fewer, but its CPU kernel is scalar: from
   * some 8 rows on it takes twice as long as these two.
   */
  #addAndNormalise(x: Value, added: Value, norm: string): Value {
    const { width } = this.#shape;
    const sum = this.#graph.op('Add', [x, added]);
    const inputs = [sum, this.#vector(`${norm}.weight`, width), this.#vector(`${norm}.bias`, width)];
    return this.#graph.op('LayerNormalization', inputs, { axis: -1, epsilon: { float: 1e-5 } });
  }

  /** `LayerNorm(x + fc2(silu(fc1(x))))`. */
  feedForward(x: Value, prefix: string): Value {
    const { width, feedForward } = this.#shape;
    const bias = this.#vector(`${prefix}.fc1.bias`, feedForward);
    const hidden = this.#linear(x, `${prefix}.fc1`, width, feedForward, bias);
    // x * sigmoid(1 * x) is SiLU.
    const active = this.#graph.op('QuickGelu', [hidden], { alpha: { float: 1 } }, { domain: CONTRIB });
    const name = `${prefix}.fc2`;
    const projected = this.#linear(active, name, feedForward, width, this.#closingBias(name));
    return this.#addAndNormalise(x, projected, `${prefix}.final_layer_norm`);
  }

  /** A whole self-attention layer that sees every unmasked position; `mask [batch, time]` int32, 0 hides a position. */
  encoderLayer(x: Value, mask: Value, prefix: string): Value {
    return this.feedForward(this.#selfAttentionBlock(x, mask, prefix), prefix);
  }

  /** `encoderLayer` that also reads a source; see `crossAttentionBlock` for what it reads. */
  readingLayer(x: Value, mask: Value, source: SourceReading, prefix: string): Value {
    const seen = this.#selfAttentionBlock(x, mask, prefix);
    return this.feedForward(this.crossAttentionBlock(seen, source, prefix), prefix);
  }

  /** `LayerNorm(x + out(attention over the source))`. */
  crossAttentionBlock(x: Value, { keys, values, bias }: SourceReading, prefix: string): Value {
    const read = this.attention(this.#crossQuery(x, `${prefix}.encoder_attn`), keys, values, bias);
    return this.closeAttention(x, read, `${prefix}.encoder_attn`, `${prefix}.encoder_attn_layer_norm`);
  }

  #selfAttentionBlock(x: Value, mask: Value, prefix: string): Value {
    const attended = this.#selfAttention(x, mask, `${prefix}.self_attn`);
    return this.closeAttention(x, attended, `${prefix}.self_attn`, `${prefix}.self_attn_layer_norm`);
  }

  #selfAttention(x: Value, mask: Value, prefix: string): Value {
    if (this.#precision === 'float32') {
      // One operator projects, splits and attends, where keys come from nowhere else.
      const { weight, bias } = this.#fusedProjection(prefix);
      const inputs = [x, this.#weight(`${prefix}.qkv.weight`, weight), bias, mask];
      return this.#graph.op('Attention', inputs, { num_heads: this.#shape.heads }, { domain: CONTRIB });
    }
    const [query, key, value] = this.queryKeyValue(x, prefix);
    return this.attention(query, key, value, this.#visible(mask));
  }

  /** `mask [batch, time]` as `[batch, 1, time, time]` booleans, made once: attention broadcasts over heads only. */
  #visible(mask: Value): Value {
    const known = this.#visibleOf.get(mask);
    if (known !== undefined) return known;
    const graph = this.#graph;
    const byKey = graph.op('Reshape', [mask, graph.constant('int64', [4], [0, 1, 1, -1])]);
    const byQuery = graph.op('Reshape', [mask, graph.constant('int64', [4], [0, 1, -1, 1])]);
    // Every query, padding too, sees the same keys; a query that saw none would not be a number.
    const everyQuery = graph.op('Equal', [byQuery, byQuery]);
    const visible = graph.op('And', [everyQuery, graph.op('Cast', [byKey], { to: ELEMENT_TYPE.bool })]);
    this.#visibleOf.set(mask, visible);
    return visible;
  }

  /** The `[width, 3 * width]` projection to queries, keys and values, and its bias. */
  #fusedProjection(prefix: string): { readonly weight: DeferredDense; readonly bias: Value } {
    const { width } = this.#shape;
    const parts = ['q_proj', 'k_proj', 'v_proj'];
    const weights = parts.map((part) => this.#tensorOf(`${prefix}.${part}.weight`, [width, width]));
    const biases = parts.map((part) => this.#tensorOf(`${prefix}.${part}.bias`, [width]));
    return {
      weight: transpose(stackRows(weights)),
      bias: this.#weight(`${prefix}.qkv.bias`, stackRows(biases)),
    };
  }

  #linear(x: Value, name: string, inputs: number, outputs: number, bias?: Value): Value {
    return this.product(x, `${name}.weight`, transpose(this.#tensorOf(`${name}.weight`, [outputs, inputs])), bias);
  }

  /** Bias of the layer that closes a residual block, unless it was folded away. */
  #closingBias(layer: string): Value | undefined {
    const name = `${layer}.bias`;
    return this.#folded.has(name) ? undefined : this.#vector(name, this.#shape.width);
  }

  #vector(name: string, length: number): Value {
    return this.#weight(name, this.#tensorOf(name, [length]));
  }

  #weight(name: string, dense: DeferredDense): Value {
    return this.#graph.weight(name, dense.dims, dense.values, dense.exact);
  }
}
