import type {
  AutoregressiveModel,
  AutoregressiveSupport,
  OpenOptions,
  OutputRequest,
  TokenSource,
} from '@foretoken/core';
import { assertTokenSources, forestOptions, refuseEncoding } from '@foretoken/core/kit';
import {
  assertRows,
  type ExtensionValues,
  GraphSession,
  type JoiningRows,
  type RecurrentDriver,
  type RecurrentInputs,
  type RecurrentOutputs,
  RecurrentStore,
  RuntimeTimings,
  StoreForest,
} from '@foretoken/core/runtime';
import { logSoftmax, ranked } from '@foretoken/testkit';
import * as onnxRuntime from 'onnxruntime-node';
import { GraphBuilder, type Value } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';

export const GRU = { vocabularySize: 11, width: 6, embedding: 5, endTokenId: 0, startTokenId: 10, maxLength: 24 };

/** Weights of one GRU layer, gates in the order update, reset, candidate; the reset gate is applied after the product. */
interface GruLayer {
  /** `[3 * width, embedding]`. */
  readonly input: Float32Array;
  /** `[3 * width, width]`. */
  readonly recurrent: Float32Array;
  /** `[6 * width]`: of the inputs, then of the state. */
  readonly bias: Float32Array;
}

/** An encoder-decoder of one GRU layer each: the state after the source is the state before the output. */
export interface GruWeights {
  /** `[vocabulary, embedding]`, of both sides. */
  readonly embedding: Float32Array;
  readonly encoder: GruLayer;
  readonly decoder: GruLayer;
  /** `[vocabulary, width]`. */
  readonly head: Float32Array;
  readonly headBias: Float32Array;
}

export function gruWeights(seed: number): GruWeights {
  let state = (seed * 2654435761) >>> 0;
  const values = (count: number, scale: number): Float32Array =>
    Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return scale * (state / 2 ** 31 - 1);
    });
  const { vocabularySize, width, embedding } = GRU;
  const layer = (): GruLayer => ({
    input: values(3 * width * embedding, 1.5),
    recurrent: values(3 * width * width, 1.2),
    bias: values(6 * width, 0.5),
  });
  return {
    embedding: values(vocabularySize * embedding, 1.5),
    encoder: layer(),
    decoder: layer(),
    head: values(vocabularySize * width, 3),
    headBias: values(vocabularySize, 0.5),
  };
}

/** `[lanes, length]` token ids and `[lanes, width]` states to the states after each token, `[lanes, length, width]`. */
function emitLayer(graph: GraphBuilder, weights: GruWeights, layer: GruLayer, tokenIds: Value, state: Value): Value {
  const { vocabularySize, width, embedding } = GRU;
  const constant = (dims: readonly number[], values: Float32Array) => graph.constant('float32', dims, [...values]);
  const shape = (dims: readonly number[]) => graph.constant('int64', [dims.length], dims);
  const embedded = graph.op('Gather', [constant([vocabularySize, embedding], weights.embedding), tokenIds]);
  const byTime = graph.op('Transpose', [embedded], { perm: [1, 0, 2] });
  const initial = graph.op('Reshape', [state, shape([1, -1, width])]);
  const inputs = [
    byTime,
    constant([1, 3 * width, embedding], layer.input),
    constant([1, 3 * width, width], layer.recurrent),
    constant([1, 6 * width], layer.bias),
    '',
    initial,
  ];
  const states = graph.op('GRU', inputs, { hidden_size: width, linear_before_reset: 1 });
  const squeezed = graph.op('Squeeze', [states, shape([1])]);
  return graph.op('Transpose', [squeezed], { perm: [1, 0, 2] }, { name: 'states' });
}

function buildGraph(weights: GruWeights, layer: GruLayer, scores: boolean): Uint8Array {
  const { vocabularySize, width } = GRU;
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  const tokenIds = graph.input('token_ids', 'int32', ['lanes', 'length']);
  const states = emitLayer(graph, weights, layer, tokenIds, graph.input('state', 'float32', ['lanes', width]));
  graph.output(states, 'float32', ['lanes', 'length', width]);
  if (scores) {
    const cells = graph.op('Reshape', [states, graph.constant('int64', [2], [-1, width])]);
    const scored = graph.op('Gather', [cells, graph.input('scored', 'int32', ['scored'])]);
    const head = graph.constant('float32', [vocabularySize, width], [...weights.head]);
    const bias = graph.constant('float32', [vocabularySize], [...weights.headBias]);
    graph.output(graph.op('Gemm', [scored, head, bias], { transB: 1 }, { name: 'logits' }), 'float32', [
      'scored',
      vocabularySize,
    ]);
  }
  return graph.build('gru');
}

/** The same network in plain arithmetic, one step at a time: scores of what follows `output`. */
export function plainGru(weights: GruWeights): (source: TokenSource, output: readonly number[]) => Float64Array {
  const { width, embedding, vocabularySize, startTokenId } = GRU;
  const step = ({ input, recurrent, bias }: GruLayer, state: Float64Array, tokenId: number): Float64Array => {
    const product = (matrix: Float32Array, row: number, vector: ArrayLike<number>): number => {
      let sum = 0;
      for (let at = 0; at < vector.length; at++) sum += matrix[row * vector.length + at] * vector[at];
      return sum;
    };
    const embedded = weights.embedding.subarray(tokenId * embedding, (tokenId + 1) * embedding);
    const fromInput = (gate: number) => product(input, gate, embedded) + bias[gate];
    const fromState = (gate: number) => product(recurrent, gate, state) + bias[3 * width + gate];
    const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
    return Float64Array.from(state, (before, unit) => {
      const update = sigmoid(fromInput(unit) + fromState(unit));
      const reset = sigmoid(fromInput(width + unit) + fromState(width + unit));
      const candidate = Math.tanh(fromInput(2 * width + unit) + reset * fromState(2 * width + unit));
      return (1 - update) * candidate + update * before;
    });
  };
  return (source, output) => {
    let state: Float64Array = new Float64Array(width);
    for (const tokenId of source) state = step(weights.encoder, state, tokenId);
    for (const tokenId of [startTokenId, ...output]) state = step(weights.decoder, state, tokenId);
    return Float64Array.from({ length: vocabularySize }, (_, tokenId) => {
      let sum = weights.headBias[tokenId];
      for (let unit = 0; unit < width; unit++) sum += weights.head[tokenId * width + unit] * state[unit];
      return sum;
    });
  };
}

const { Tensor } = onnxRuntime;

class GruDriver implements RecurrentDriver {
  readonly stateWidth: number = GRU.width;
  /** Runs of the step graph, and the most cells of one. */
  runs = 0;
  cells = 0;
  readonly #session: GraphSession;
  readonly #initial: Float32Array[];

  constructor(session: GraphSession, initial: readonly Float32Array[]) {
    this.#session = session;
    this.#initial = [...initial];
  }

  initialState(row: number): Float32Array {
    return this.#initial[row];
  }

  async run(
    { lanes, length, tokenIds, states, scored }: RecurrentInputs,
    output: OutputRequest,
  ): Promise<RecurrentOutputs> {
    this.runs++;
    this.cells = Math.max(this.cells, lanes * length);
    const feeds = {
      token_ids: new Tensor('int32', tokenIds, [lanes, length]),
      state: new Tensor('float32', states, [lanes, GRU.width]),
      scored: new Tensor('int32', scored.length === 0 ? Int32Array.of(0) : scored, [Math.max(1, scored.length)]),
    };
    const results = await this.#session.run(feeds, scored.length === 0 ? ['states'] : undefined);
    const logits = (results.logits?.data ?? new Float32Array()) as Float32Array;
    return { states: results.states?.data as Float32Array, extension: scoresOf(logits, output) };
  }

  admit(initial: readonly Float32Array[]): void {
    this.#initial.push(...initial);
  }

  releaseRow(row: number): void {
    const last = this.#initial.pop() as Float32Array;
    if (row < this.#initial.length) this.#initial[row] = last;
  }

  dispose(): void {
    this.#initial.length = 0;
  }
}

function scoresOf(logits: Float32Array, output: OutputRequest): ExtensionValues {
  const { vocabularySize } = GRU;
  const rows = Array.from({ length: logits.length / vocabularySize }, (_, row) =>
    logits.subarray(row * vocabularySize, (row + 1) * vocabularySize),
  );
  switch (output.kind) {
    case 'logits':
      return { kind: 'logits', logits };
    case 'logProbs':
      return { kind: 'logProbs', logProbs: Float32Array.from(rows.flatMap((row) => [...logSoftmax(row)])) };
    case 'argmax': {
      const tokenIds = Int32Array.from(rows, (row) => ranked(row)[0]);
      return { kind: 'argmax', tokenIds, scores: Float32Array.from(rows, (row) => Math.max(...row)) };
    }
    case 'topK': {
      const tokenIds = rows.map((row) => ranked(row).slice(0, output.k));
      const logProbs = rows.flatMap((row, index) => {
        const normalised = logSoftmax(row);
        return (tokenIds[index] ?? []).map((tokenId) => normalised[tokenId]);
      });
      return {
        kind: 'topK',
        k: output.k,
        tokenIds: Int32Array.from(tokenIds.flat()),
        logProbs: Float32Array.from(logProbs),
      };
    }
  }
}

export interface GruModel extends AutoregressiveModel<TokenSource> {
  /** Drivers of the forests opened so far. */
  readonly drivers: readonly { readonly runs: number; readonly cells: number }[];
  dispose(): Promise<void>;
}

/** The network on ONNX Runtime, as a model whose nodes keep a state. */
export async function gruModel(weights: GruWeights, maxCells?: number): Promise<GruModel> {
  const session = (name: string, graph: Uint8Array) =>
    GraphSession.create(onnxRuntime, { path: name, graph }, { threads: 1 }, new RuntimeTimings());
  const encoder = await session('encoder.onnx', buildGraph(weights, weights.encoder, false));
  const step = await session('step.onnx', buildGraph(weights, weights.decoder, true));
  const { vocabularySize, endTokenId, startTokenId, maxLength, width } = GRU;
  const supports: AutoregressiveSupport = {
    outputs: ['argmax', 'topK', 'logProbs', 'logits'],
    branching: true,
    rollback: true,
    rows: 64,
    joining: true,
    maxCandidates: vocabularySize,
  };
  const encode = async (sources: readonly TokenSource[], { signal }: OpenOptions): Promise<Float32Array[]> => {
    assertTokenSources(sources, { vocabularySize, max: 40 });
    const states: Float32Array[] = [];
    for (const source of sources) {
      signal?.throwIfAborted();
      const results = await encoder.run({
        token_ids: new Tensor('int32', source, [1, source.length]),
        state: new Tensor('float32', new Float32Array(width), [1, width]),
      });
      const all = results.states?.data as Float32Array;
      states.push(all.slice(-width));
    }
    return states;
  };
  const prefixes = (sources: readonly TokenSource[]) => sources.map(() => Int32Array.of(startTokenId));
  const drivers: GruDriver[] = [];
  return {
    vocabulary: { size: vocabularySize, endTokenId },
    maxLength,
    supports,
    drivers,
    async open(sources, given) {
      const options = forestOptions(given);
      refuseEncoding(options);
      assertRows(supports, sources.length);
      const driver = new GruDriver(step, await encode(sources, options));
      drivers.push(driver);
      const join = async (joining: readonly TokenSource[], given: OpenOptions): Promise<JoiningRows> => {
        const initial = await encode(joining, given);
        return { prefixes: prefixes(joining), admit: () => driver.admit(initial) };
      };
      return new StoreForest({
        store: new RecurrentStore(driver, sources.length),
        prefixes: prefixes(sources),
        vocabularySize,
        maxLength,
        supports,
        maxCells,
        join: options.joining === true ? join : undefined,
      });
    },
    async dispose() {
      await encoder.dispose();
      await step.dispose();
    },
  };
}
