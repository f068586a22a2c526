import type {
  AutoregressiveModel,
  Extension,
  NewNodes,
  NodeId,
  OutputRequest,
  RowStart,
  TokenForest,
  TokenSource,
} from '@foretoken/core';
import { ROOT } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';

export interface CopyingModelOptions {
  readonly model: AutoregressiveModel<TokenSource>;
  readonly runtime: OnnxRuntime;
  readonly encoder: GraphSession;
  /** The step graph with the top-k head. */
  readonly step: GraphSession;
  readonly layers: number;
  readonly width: number;
  readonly startTokenId: number;
}

/**
 * The same model on the cache that most libraries have: every hypothesis is a row of its own, and a beam that goes on from
 * another's hypothesis gets a copy of its keys and values. Kept as what the token tree is compared with; one source a batch.
 */
export function copyingModel(options: CopyingModelOptions): AutoregressiveModel<TokenSource> {
  const { model } = options;
  return {
    vocabulary: model.vocabulary,
    maxLength: model.maxLength,
    supports: { ...model.supports, outputs: ['topK'], rows: 1 },
    async open(sources) {
      const source = sources[0];
      const { Tensor: RuntimeTensor } = options.runtime;
      const int32 = (values: Int32Array): Tensor => new RuntimeTensor('int32', values, [1, values.length]);
      const encoded = await options.encoder.run({
        token_ids: int32(source),
        positions: int32(Int32Array.from(source, (_, position) => position)),
        mask: int32(new Int32Array(source.length).fill(1)),
      });
      return new CopyingForest(encoded.cross?.data as Float32Array, source.length, options);
    },
  };
}

/** A node's keys and values: `depth - 1` slots in a row of `past`, and the last in the same row of `fresh`. */
interface CachedNode {
  readonly past: readonly Float32Array[];
  readonly fresh: Float32Array;
  readonly row: number;
  readonly depth: number;
}

class CopyingForest implements TokenForest {
  readonly rows = 1;
  #nextNode: NodeId = 0;
  /** Where each live node's keys and values lie: a row of the last forward's cache, and a row of what it added. */
  readonly #nodes = new Map<NodeId, CachedNode>();
  readonly #cross: Float32Array;
  readonly #time: number;
  readonly #options: CopyingModelOptions;
  /** Cross-attention feeds for a number of rows. */
  readonly #sourceFeeds = new Map<number, Record<string, Tensor>>();

  constructor(cross: Float32Array, time: number, options: CopyingModelOptions) {
    this.#cross = cross;
    this.#time = time;
    this.#options = options;
  }

  start(): RowStart {
    return { prefix: Int32Array.of(this.#options.startTokenId), cached: 0, node: ROOT };
  }

  extend<Output extends OutputRequest>(nodes: NewNodes, output: Output): Promise<Extension<Output>>;
  async extend(nodes: NewNodes, output: OutputRequest): Promise<Extension> {
    if (output.kind !== 'topK') throw new RangeError('the copying forest has only a top-k head');
    const { runtime, step, layers, width } = this.#options;
    const { Tensor: RuntimeTensor } = runtime;
    const parts = 2 * layers;
    const stride = parts * width;
    const rows = nodes.tokenId.length;
    const parents = Array.from(nodes.parent, (parent) => this.#nodes.get(parent));
    const depth = parents[0] === undefined ? 0 : parents[0].depth;
    const feeds: Record<string, Tensor> = { ...this.#feeds(rows) };
    // The copy this model is about: each row takes its parent's row, with what the last forward added to it.
    const past = Array.from({ length: parts }, () => new Float32Array(rows * depth * width));
    for (const [row, parent] of parents.entries()) {
      if (parent === undefined) continue;
      const old = (depth - 1) * width;
      for (const [part, values] of past.entries()) {
        const from = parent.past[part];
        values.set(from.subarray(parent.row * old, (parent.row + 1) * old), row * depth * width);
        const fresh = parent.row * stride + part * width;
        values.set(parent.fresh.subarray(fresh, fresh + width), row * depth * width + old);
      }
    }
    for (const [part, values] of past.entries()) {
      feeds[`past_${part}`] = new RuntimeTensor('float32', values, [rows, depth, width]);
    }
    const results = await step.run({
      ...feeds,
      token_ids: new RuntimeTensor('int32', nodes.tokenId, [rows, 1]),
      positions: new RuntimeTensor('int32', new Int32Array(rows).fill(depth), [rows, 1]),
      scored: new RuntimeTensor(
        'int32',
        Int32Array.from({ length: rows }, (_, row) => row),
        [rows],
      ),
      attention_bias: new RuntimeTensor('float32', new Float32Array(rows * (depth + 1)), [rows, 1, 1, depth + 1]),
      k: new RuntimeTensor('int64', BigInt64Array.of(BigInt(output.k)), [1]),
    });
    const fresh = results.new?.data as Float32Array;
    const firstNode = this.#nextNode;
    for (let row = 0; row < rows; row++) this.#nodes.set(firstNode + row, { past, fresh, row, depth: depth + 1 });
    this.#nextNode += rows;
    return {
      kind: 'topK',
      firstNode,
      k: output.k,
      tokenIds: Int32Array.from(results.best_token_ids?.data as Int32Array),
      logProbs: Float32Array.from(results.best_0?.data as Float32Array),
    };
  }

  retain(_row: number, leaves: readonly NodeId[]): void {
    for (const node of this.#nodes.keys()) if (!leaves.includes(node)) this.#nodes.delete(node);
  }

  finish(): void {
    this.#nodes.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#nodes.clear();
  }

  /** The source's keys and values repeated for each row, made once for each number of rows. */
  #feeds(rows: number): Record<string, Tensor> {
    const known = this.#sourceFeeds.get(rows);
    if (known !== undefined) return known;
    const { runtime, layers, width } = this.#options;
    const size = this.#time * width;
    const feeds: Record<string, Tensor> = {
      cross_bias: new runtime.Tensor('float32', new Float32Array(rows * this.#time), [rows, 1, 1, this.#time]),
    };
    for (let part = 0; part < 2 * layers; part++) {
      const repeated = new Float32Array(rows * size);
      for (let row = 0; row < rows; row++)
        repeated.set(this.#cross.subarray(part * size, (part + 1) * size), row * size);
      feeds[`cross_${part}`] = new runtime.Tensor('float32', repeated, [rows, this.#time, width]);
    }
    this.#sourceFeeds.set(rows, feeds);
    return feeds;
  }
}
