import type {
  AutoregressiveModel,
  Extension,
  NewNodes,
  NodeId,
  OutputRequest,
  TokenForest,
  TokenSource,
} from '@foretoken/core';
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
      const source = sources[0] as TokenSource;
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

class CopyingForest implements TokenForest {
  readonly rows = 1;
  nextNode: NodeId = 0;
  /** Keys and values of the whole path to each node by part, `[depth, width]` each. */
  readonly #caches = new Map<NodeId, readonly Float32Array[]>();
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

  prefix(): Int32Array {
    return Int32Array.of(this.#options.startTokenId);
  }

  async extend<Output extends OutputRequest>(nodes: NewNodes, output: Output): Promise<Extension<Output>> {
    if (output.kind !== 'topK') throw new RangeError('the copying forest has only a top-k head');
    const { runtime, step, layers, width } = this.#options;
    const { Tensor: RuntimeTensor } = runtime;
    const parts = 2 * layers;
    const stride = parts * width;
    const rows = nodes.tokenId.length;
    const empty = new Array<Float32Array>(parts).fill(new Float32Array(0));
    const parents = Array.from(nodes.parent, (parent) => this.#caches.get(parent) ?? empty);
    const size = ((parents[0] as readonly Float32Array[])[0] as Float32Array).length;
    const depth = size / width;
    const feeds: Record<string, Tensor> = { ...this.#feeds(rows) };
    for (let part = 0; part < parts; part++) {
      const past = new Float32Array(rows * size);
      for (const [row, parent] of parents.entries()) past.set(parent[part] as Float32Array, row * size);
      feeds[`past_${part}`] = new RuntimeTensor('float32', past, [rows, depth, width]);
    }
    const results = await step.run({
      ...feeds,
      token_ids: new RuntimeTensor('int32', nodes.tokenId, [rows, 1]),
      positions: new RuntimeTensor('int32', new Int32Array(rows).fill(depth), [rows, 1]),
      attention_bias: new RuntimeTensor('float32', new Float32Array(rows * (depth + 1)), [rows, 1, 1, depth + 1]),
      k: new RuntimeTensor('int64', BigInt64Array.of(BigInt(output.k)), [1]),
    });
    const fresh = results.new?.data as Float32Array;
    const firstNode = this.nextNode;
    for (const [row, parent] of parents.entries()) {
      const caches = parent.map((values, part) => {
        const cache = new Float32Array(size + width);
        cache.set(values);
        cache.set(fresh.subarray(row * stride + part * width, row * stride + (part + 1) * width), size);
        return cache;
      });
      this.#caches.set(firstNode + row, caches);
    }
    this.nextNode += rows;
    const extension = {
      firstNode,
      k: output.k,
      tokenIds: Int32Array.from(results.best_token_ids?.data as Int32Array),
      logProbs: Float32Array.from(results.best_0?.data as Float32Array),
    };
    return extension as unknown as Extension<Output>;
  }

  retain(_row: number, leaves: readonly NodeId[]): void {
    for (const node of this.#caches.keys()) if (!leaves.includes(node)) this.#caches.delete(node);
  }

  finish(): void {
    this.#caches.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#caches.clear();
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
