import { basename, dirname, resolve } from 'node:path';
import {
  describeGraph,
  type FileContent,
  FOREIGN_BYTES,
  foreignContent,
  GRAPH_BYTES,
  type GraphDescription,
  type GraphTensor,
  type GraphValue,
  invalidFolder,
  readRegularFile,
  unsupportedModel,
} from '@foretoken/models/folder';

/** A graph of others in a file, and what it says of itself. */
export interface ExportedGraph {
  readonly folder: string;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly description: GraphDescription;
  /** Content of the files that it keeps weights in, by the names it gives. */
  readonly externalData: ReadonlyMap<string, Uint8Array>;
}

/** Reads an ONNX file and the files beside it that it names. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, the signal's reason. */
export async function readExport(path: string, signal?: AbortSignal): Promise<ExportedGraph> {
  const folder = dirname(resolve(path));
  const file = basename(path);
  if (/\.ort$/i.test(file)) {
    throw unsupportedModel(
      `${file} in ${folder} is in ONNX Runtime's own format by its name, which is opened in folders of exporters alone. Import the ONNX graph that it was converted from.`,
      { folder, file, field: 'format', received: 'ORT', required: 'ONNX' },
    );
  }
  const bytes = await readRegularFile({ folder, file }, { links: true, max: GRAPH_BYTES, signal });
  const foreign = foreignContent(bytes.subarray(0, FOREIGN_BYTES));
  if (foreign !== undefined) {
    throw invalidFolder(`${file} in ${folder} is ${foreign}`, { folder, file });
  }
  const description = describeGraph(bytes, file);
  const externalData = new Map<string, Uint8Array>();
  for (const location of description.externalLocations) {
    if (!/^[\p{L}\p{N}_][\p{L}\p{N} ._+-]*$/u.test(location)) {
      throw invalidFolder(
        `${file} in ${folder} keeps weights in ${JSON.stringify(location)}, which is no name of a file beside it. Export the graph with its weights beside it, or inside.`,
        { folder, file, field: 'external data location', received: location },
      );
    }
    externalData.set(
      location,
      await readRegularFile({ folder, file: location }, { links: true, max: GRAPH_BYTES, signal }),
    );
  }
  return { folder, file, bytes, description, externalData };
}

/** The files of a graph in a model folder, the graph under `name`. */
export function exportedFiles({ bytes, externalData }: ExportedGraph, name: string): Map<string, FileContent> {
  return new Map<string, FileContent>([...externalData, [name, bytes]]);
}

/** An input or output as a manifest holds it. Throws `UNSUPPORTED_MODEL` for types that are not fed. */
export function graphTensor({ folder, file }: ExportedGraph, name: string, { type, dims }: GraphValue): GraphTensor {
  if (type === 'float32' || type === 'int32' || type === 'int64' || type === 'bool') return { name, type, dims };
  throw unsupportedModel(
    `${file} in ${folder}: ${name} is ${type}, but float32, int32, int64 or bool is required. Export the graph with float32 inputs and outputs.`,
    { folder, file, field: name, received: type, required: ['float32', 'int32', 'int64', 'bool'] },
  );
}
