import { GraphBuilder } from '../onnx/graph-builder.js';
import type { WeightStore } from '../onnx/weight-store.js';

/** File that all graphs of an imported folder read their weights from. */
export const WEIGHTS_FILE = 'weights.bin';

/** Builds a graph under a name and keeps it as a file. */
export type EmitGraph = (file: string, name: string, build: (graph: GraphBuilder) => void) => void;

/** Graphs that share the weights of `store`, collected in `files`. */
export function graphEmitter(store: WeightStore, files: Map<string, Uint8Array | string>): EmitGraph {
  return (file, name, build) => {
    const graph = new GraphBuilder(store, WEIGHTS_FILE);
    build(graph);
    files.set(file, graph.build(name));
  };
}
