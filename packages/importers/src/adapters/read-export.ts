import { basename, dirname, resolve } from 'node:path';
import {
  describeGraph,
  externalFiles,
  type FileContent,
  type FloatType,
  FOREIGN_BYTES,
  foreignContent,
  GRAPH_BYTES,
  type GraphDescription,
  type GraphTensor,
  type GraphValue,
  invalidFolder,
  MANIFEST_FILE,
  quote,
  readRegularFile,
  unsupportedModel,
} from '@foretoken/models/internal';

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
  for (const location of externalFiles(description, folder, file)) {
    // In a model folder all files of a graph lie side by side.
    if (location.includes('/')) {
      throw invalidFolder(
        `${file} in ${folder} keeps weights in ${quote(location)}, but they must lie beside it. Export the graph with its weights in a file beside it, or inside.`,
        { folder, file, field: 'external data location', received: location, required: 'a file beside the graph' },
      );
    }
    externalData.set(
      location,
      await readRegularFile({ folder, file: location }, { links: true, max: GRAPH_BYTES, signal }),
    );
  }
  return { folder, file, bytes, description, externalData };
}

/**
 * The files of a model folder: `others`, and graphs under names of it, with the files that they keep weights in under their own. Throws
 * `UNSUPPORTED_MODEL` where two files would have one name, also where they are one to systems that tell no capitals.
 */
export function filesWithGraphs(
  graphs: readonly (readonly [name: string, graph: ExportedGraph])[],
  others: ReadonlyMap<string, FileContent>,
): Map<string, FileContent> {
  const files = new Map<string, FileContent>([...others, ...graphs.map(([name, { bytes }]) => [name, bytes] as const)]);
  const own = new Map([...files.keys(), MANIFEST_FILE].map((name) => [name.toLowerCase(), name]));
  const weights = new Map<string, { readonly name: string; readonly content: Uint8Array }>();
  for (const [, { folder, file, externalData }] of graphs) {
    for (const [name, content] of externalData) {
      const key = name.toLowerCase();
      const known = weights.get(key);
      const same = known?.name === name && Buffer.compare(known.content, content) === 0;
      if (!own.has(key) && (known === undefined || same)) {
        weights.set(key, { name, content });
        files.set(name, content);
        continue;
      }
      throw unsupportedModel(
        `${file} in ${folder} keeps weights in ${quote(name)}, but a model folder has another file ${quote(own.get(key) ?? known?.name)}. Export the graph with its weights in a file of another name, or inside.`,
        { folder, file, field: 'external data location', received: name },
      );
    }
  }
  return files;
}

const WHOLE_TYPES = ['int32', 'int64', 'bool'] as const;

/** An input or output as a manifest holds it. Throws `UNSUPPORTED_MODEL` for types that are not fed, floats but these among them. */
export function graphTensor(
  { folder, file }: ExportedGraph,
  name: string,
  { type, dims }: GraphValue,
  floats: readonly FloatType[] = ['float32'],
): GraphTensor {
  const types = [...floats, ...WHOLE_TYPES];
  const found = types.find((one) => one === type);
  if (found !== undefined) return { name, type: found, dims };
  throw unsupportedModel(
    `${file} in ${folder}: ${name} is ${type}, but ${types.slice(0, -1).join(', ')} or ${types.at(-1)} is required. Export the graph with float32 inputs and outputs.`,
    { folder, file, field: name, received: type, required: types },
  );
}
