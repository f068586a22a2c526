import { externalFiles } from '../../folder/external-data.js';
import { FILE_BYTES, GRAPH_BYTES } from '../../folder/manifest.js';
import { readingGraph } from '../../onnx/graph-description.js';
import { describeGraphFile } from '../../onnx/graph-file.js';
import { dependentOperators, operatorsOf } from '../../onnx/operators.js';
import { tabledPositions } from '../../onnx/position-tables.js';
import { wireParts } from '../../onnx/wire-parts.js';
import { outputCounts, sourceCounts } from './counted-inputs.js';
import type { ExportFiles } from './export-files.js';
import type { ExportGraph, OnnxExportManifest } from './export-manifest.js';
import type { ExportReader } from './export-reader.js';
import { decoderRoles, encoderRoles } from './export-roles.js';
import { assertNamedCaches, assertNamedSources } from './genai-caches.js';
import type { GenaiModel } from './genai-config.js';

type Graphs = OnnxExportManifest['graphs'];

/** The graphs of an export, and what is known of them. */
export interface ReadGraphs {
  readonly graphs: Graphs;
  readonly dependentRows: readonly string[];
  /** Most positions that the tables of each have; infinite where they do not tell. */
  readonly positions: { readonly source: number; readonly output: number };
}

/** Reads graphs with the files that they keep weights in. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readGraphs(
  reader: ExportReader,
  { encoder, decoder, decoderWithPast }: ExportFiles,
  genai: GenaiModel | undefined,
): Promise<ReadGraphs> {
  const dependent = new Set<string>();
  const positions = { source: Number.POSITIVE_INFINITY, output: Number.POSITIVE_INFINITY };
  const read = async (file: string): Promise<ExportGraph> => {
    const bytes = await reader.read(file, GRAPH_BYTES);
    const description = await describeGraphFile(bytes, file);
    const { inputs, outputs, operators } = description;
    const used = operators ?? readingGraph(file, () => operatorsOf(bytes));
    for (const name of dependentOperators(used)) dependent.add(name);
    for (const name of externalFiles(description, reader.path, file)) await reader.read(name, FILE_BYTES);
    const names = file === encoder ? genai?.encoder?.names : genai?.decoder.names;
    const others = [...inputs.keys(), ...outputs.keys()].flatMap((name) => {
      const usual = names?.get(name);
      return usual === undefined || usual === name ? [] : [[name, usual] as const];
    });
    const graph = {
      file,
      inputs: Object.fromEntries(inputs),
      outputs: Object.fromEntries(outputs),
      names: others.length === 0 ? undefined : Object.fromEntries(others),
    };
    const parts = description.parts ?? readingGraph(file, () => wireParts(bytes));
    const side = file === encoder ? 'source' : 'output';
    if (parts !== undefined && side === 'output' && graph.names !== undefined)
      assertNamedCaches(graph, parts, reader.path);
    const counted = side === 'source' ? sourceCounts(encoderRoles(graph)) : outputCounts(decoderRoles(graph));
    const tabled = parts && counted && readingGraph(file, () => tabledPositions(parts, counted));
    positions[side] = Math.min(positions[side], tabled ?? positions[side]);
    return graph;
  };
  const graphs: Graphs = {
    encoder: encoder === undefined ? undefined : await read(encoder),
    decoder: await read(decoder),
    decoderWithPast: decoderWithPast === undefined ? undefined : await read(decoderWithPast),
  };
  if (genai !== undefined) assertNamedSources(graphs.encoder, graphs.decoder, reader.path);
  return { graphs, dependentRows: [...dependent].sort(), positions };
}
