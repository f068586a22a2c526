import type { Yielder } from '@foretoken/core/kit';
import type { FileContent } from '@foretoken/models/internal';
import { storageOf, type WeightPrecision } from '../tensors/weight-precision.js';
import { GraphBuilder } from './graph-builder.js';
import { WeightStore } from './weight-store.js';

/** File that all graphs of an imported folder read their weights from. */
const WEIGHTS_FILE = 'weights.bin';

/** Builds a graph under a name and keeps it as a file. */
export type EmitGraph = (file: string, name: string, build: (graph: GraphBuilder) => void) => Promise<void>;

/** Graphs of one folder, which share its weights. */
export class GraphFiles {
  readonly #store: WeightStore;
  readonly #pace: Yielder;
  readonly #graphs: { readonly file: string; readonly name: string; readonly graph: GraphBuilder }[] = [];

  constructor(weights: WeightPrecision, pace: Yielder) {
    this.#store = new WeightStore(storageOf(weights));
    this.#pace = pace;
  }

  readonly emit: EmitGraph = async (file, name, build) => {
    const graph = new GraphBuilder(this.#store, WEIGHTS_FILE);
    build(graph);
    this.#graphs.push({ file, name, graph });
    if (this.#pace.due()) await this.#pace.yield();
  };

  /**
   * All files, made while they are written, the weights first: a graph says where each of its weights lies. Making them throws
   * `INVALID_MODEL_FOLDER` for weights that are NaN or infinite.
   */
  files(): Map<string, FileContent> {
    const files = new Map<string, FileContent>([[WEIGHTS_FILE, () => this.#store.stream(this.#pace)]]);
    for (const { file, name, graph } of this.#graphs) files.set(file, () => [graph.build(name)]);
    return files;
  }
}
