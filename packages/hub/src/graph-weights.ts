import { ForetokenError } from '@foretoken/core';
import { type ExternalData, findExternalData } from '@foretoken/core/internal';
import { show } from '@foretoken/core/kit';
import { openRegular } from '@foretoken/core/node';
import type { HubFile } from './list-hub-files.js';

/** What protobuf holds at most, which ONNX is written in. */
const MAX_GRAPH_BYTES = 2 ** 31 - 1;

/** What a graph's error calls what it read. */
const FIELD = 'external data location';

/** A repository and the folder that its graphs lie in. */
export interface GraphsPlace {
  readonly repository: string;
  readonly folder: string;
}

/** Those of the files that are ONNX graphs, by their names. */
export function onnxGraphs<File extends HubFile>(files: readonly File[]): readonly File[] {
  return files.filter(({ path }) => /\.onnx$/.test(path));
}

/** Throws `INVALID_MODEL_FOLDER` for a graph that is too large to be one. */
export function assertGraphSizes(graphs: readonly HubFile[], repository: string): void {
  const large = graphs.find(({ bytes }) => bytes > MAX_GRAPH_BYTES);
  if (large === undefined) return;
  throw refusedGraph(large, repository, `has ${large.bytes} bytes, but an ONNX graph has at most ${MAX_GRAPH_BYTES}`, {
    received: large.bytes,
    required: MAX_GRAPH_BYTES,
  });
}

/**
 * The files of a repository that graphs, which lie in `folder`, keep weights in: they say it themselves.
 *
 * Throws `INVALID_MODEL_FOLDER` for a graph that is none, and for a file that the repository does not have beside the graph or that is
 * shorter than the graph reads; what reading a file throws.
 */
export async function weightsOfGraphs(
  graphs: readonly HubFile[],
  listed: readonly HubFile[],
  { repository, folder }: GraphsPlace,
): Promise<readonly HubFile[]> {
  const files = new Map(listed.map((file) => [file.path, file]));
  const found = new Set<HubFile>();
  for (const graph of graphs) {
    const place = graph.path.slice(0, graph.path.lastIndexOf('/') + 1);
    for (const [location, required] of (await externalDataOf(graph, repository, folder)).locations) {
      // No name that leads elsewhere is among those that are listed.
      const file = files.get(place + location);
      if (file === undefined) {
        const words = `keeps weights in ${show(location)}, which the repository does not have beside it`;
        throw refusedGraph(graph, repository, words, {
          received: location,
          required: 'a file of the repository, in the folder of the graph or below it',
        });
      }
      if (file.bytes < required) {
        const words = `reads ${required} bytes of ${show(location)}, which has ${file.bytes}`;
        throw refusedGraph(graph, repository, words, { received: file.bytes, required });
      }
      found.add(file);
    }
  }
  return [...found];
}

async function externalDataOf(graph: HubFile, repository: string, folder: string): Promise<ExternalData> {
  const { handle } = await openRegular({ folder, file: graph.path }, { links: false });
  const bytes = await handle.readFile().finally(() => handle.close());
  try {
    return findExternalData(bytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refusedGraph(graph, repository, `is not an ONNX graph: ${cause.message}`, { required: 'ONNX' }, cause);
  }
}

function refusedGraph(
  { path }: HubFile,
  repository: string,
  words: string,
  details: { readonly received?: unknown; readonly required: unknown },
  cause?: unknown,
): ForetokenError {
  return new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${path} of ${repository} on the hub ${words}. Choose another revision or precision, or tell its publisher.`,
    { repository, file: path, field: FIELD, ...details },
    { cause },
  );
}
