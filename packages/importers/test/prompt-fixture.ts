import type { AutoregressiveModel, AutoregressiveSupport, OutputRequest, TokenSource } from '@foretoken/core';
import { assertTokenSources } from '@foretoken/core/kit';
import {
  type CacheType,
  cacheTensor,
  cacheValuesOf,
  GraphSession,
  KeyValueStore,
  type OnnxRuntime,
  RuntimeTimings,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  StoreForest,
} from '@foretoken/core/runtime';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import * as onnxRuntime from 'onnxruntime-node';
import { GraphBuilder } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';

export const PROMPT = { vocabularySize: 13, width: 8, endTokenId: 0, maxLength: 2100 };

/** One layer of attention over a prompt, with a delta of keys and values as output, kept as `type`. */
function stepGraph(type: CacheType): Uint8Array {
  const { vocabularySize, width, maxLength } = PROMPT;
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  let state = 12345;
  const random = (dims: readonly number[], scale: number) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const values = Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return scale * (state / 2 ** 31 - 1);
    });
    return graph.constant('float32', dims, values);
  };
  const product = (x: string) => graph.op('MatMul', [x, random([width, width], 0.8)]);
  const tokenIds = graph.input('token_ids', 'int32', ['rows', 'new']);
  const positions = graph.input('positions', 'int32', ['rows', 'new']);
  const bias = graph.input('attention_bias', 'float32', ['rows', 1, 'new', 'total']);
  const embedded = graph.op('Gather', [random([vocabularySize, width], 1), tokenIds]);
  const x = graph.op('Add', [embedded, graph.op('Gather', [random([maxLength, width], 0.5), positions])]);
  const [query, key, value] = [product(x), product(x), product(x)];
  const kept = (value: string) => graph.op('Cast', [value], { to: ELEMENT_TYPE[type] });
  const read = (value: string) => graph.op('Cast', [value], { to: ELEMENT_TYPE.float32 });
  const past = (name: string) => graph.input(name, type, ['rows', 'past', width]);
  const [newKey, newValue] = [kept(key), kept(value)];
  const keys = read(graph.op('Concat', [past('past_0'), newKey], { axis: 1 }));
  const values = read(graph.op('Concat', [past('past_1'), newValue], { axis: 1 }));
  const scores = graph.op('MatMul', [query, graph.op('Transpose', [keys], { perm: [0, 2, 1] })]);
  const masked = graph.op('Add', [scores, graph.op('Squeeze', [bias, graph.constant('int64', [1], [1])])]);
  const attended = graph.op('MatMul', [graph.op('Softmax', [masked], { axis: -1 }), values]);
  const cells = graph.op('Reshape', [graph.op('Add', [x, attended]), graph.constant('int64', [2], [-1, width])]);
  const scored = graph.op('Gather', [cells, graph.input('scored', 'int32', ['scored'])]);
  graph.op('Concat', [newKey, newValue], { axis: 2 }, { name: 'new' });
  graph.output('new', type, ['rows', 'new', 2 * width]);
  graph.op('MatMul', [scored, random([width, vocabularySize], 2)], {}, { name: 'logits' });
  graph.output('logits', 'float32', ['scored', vocabularySize]);
  return graph.build('prompt');
}

const { Tensor } = onnxRuntime;

class PromptDriver implements StepDriver {
  readonly #session: GraphSession;

  constructor(session: GraphSession) {
    this.#session = session;
  }

  paddedWidth(width: number): number {
    return Math.max(width, 2);
  }

  async run(inputs: StepInputs, _output: OutputRequest): Promise<StepOutputs> {
    const { rows, width, pastLength, scored, past } = inputs;
    const cached = (part: number) => cacheTensor(onnxRuntime, past[part], [rows, pastLength, PROMPT.width]);
    const feeds = {
      token_ids: new Tensor('int32', inputs.tokenIds, [rows, width]),
      positions: new Tensor('int32', inputs.positions, [rows, width]),
      attention_bias: new Tensor('float32', inputs.attentionBias, [rows, 1, width, pastLength + width]),
      past_0: cached(0),
      past_1: cached(1),
      scored: new Tensor('int32', scored.length === 0 ? Int32Array.of(0) : scored, [Math.max(scored.length, 1)]),
    };
    const results = await this.#session.run(feeds, scored.length === 0 ? ['new'] : undefined);
    const logits = (results.logits?.data ?? new Float32Array()) as Float32Array;
    return { keysValues: cacheValuesOf(results.new), extension: { kind: 'logits', logits } };
  }

  releaseRow(): void {}

  dispose(): void {}
}

export interface PromptModel extends AutoregressiveModel<TokenSource> {
  /** Elements that left the runtime by output, and the runs, since the last `reset`. */
  readonly left: Map<string, number>;
  readonly runs: () => number;
  reset(): void;
  /** Called after each run. */
  onRun: () => void;
  dispose(): Promise<void>;
}

/** A decoder-only model: a row begins with its source. */
export async function promptModel(maxCells?: number, type: CacheType = 'float32'): Promise<PromptModel> {
  const left = new Map<string, number>();
  let runs = 0;
  const counting = {
    Tensor,
    InferenceSession: {
      async create(...input: Parameters<typeof onnxRuntime.InferenceSession.create>) {
        const session = await onnxRuntime.InferenceSession.create(...input);
        const run = session.run.bind(session) as (...given: unknown[]) => ReturnType<typeof session.run>;
        session.run = async (...given: unknown[]) => {
          const results = await run(...given);
          runs++;
          for (const [name, tensor] of Object.entries(results)) left.set(name, (left.get(name) ?? 0) + tensor.size);
          model.onRun();
          return results;
        };
        return session;
      },
    },
  } as unknown as OnnxRuntime;
  const content = { path: 'prompt.onnx', graph: stepGraph(type) };
  const session = await GraphSession.create(counting, content, { threads: 1 }, new RuntimeTimings());
  const { vocabularySize, endTokenId, maxLength, width } = PROMPT;
  const supports: AutoregressiveSupport = {
    outputs: ['logits'],
    branching: true,
    rollback: true,
    rows: 8,
    maxCandidates: 0,
  };
  const model: PromptModel = {
    vocabulary: { size: vocabularySize, endTokenId },
    maxLength,
    supports,
    left,
    runs: () => runs,
    reset() {
      left.clear();
      runs = 0;
    },
    onRun() {},
    async open(sources) {
      assertTokenSources(sources, { vocabularySize, max: maxLength });
      return new StoreForest({
        store: new KeyValueStore({
          driver: new PromptDriver(session),
          rows: sources.length,
          parts: 2,
          partWidth: width,
          // What the graph says, and nobody else.
          type: session.inputType('past_0') as CacheType,
        }),
        prefixes: sources,
        vocabularySize,
        maxLength,
        supports,
        maxCells,
      });
    },
    dispose: () => session.dispose(),
  };
  return model;
}
