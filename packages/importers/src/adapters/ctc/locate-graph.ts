import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { wrongValue } from '@foretoken/core/kit';
import {
  type ExportPrecision,
  hubFolder,
  invalidFolder,
  isHubLocation,
  locateModel,
  PRECISION_SUFFIXES,
} from '@foretoken/models/internal';
import { fileExists } from '../../readers/file-exists.js';

/** Exporters write graphs beside the config, or in this folder. */
const GRAPHS = 'onnx';
/** Dictionaries that say their ids, as exporters call them: what does not fit the graph is refused. */
const DICTIONARIES = ['vocab.json', 'tokens.txt'];
const SHOWN = 8;

/** A CTC graph in a file. */
export interface LocatedGraph {
  readonly file: string;
  /** Folders in which what describes it may lie. */
  readonly folders: readonly string[];
}

/**
 * The graph at a location: a file; or a folder, a package or a repository of the hub that holds one, in the precision that is told, else
 * in fp32 or in the only one. Throws `INVALID_MODEL_FOLDER` where there is none, `INVALID_ARGUMENT`, and what a download throws.
 */
export async function locateGraph(
  location: string,
  precision: ExportPrecision | undefined,
  signal?: AbortSignal,
): Promise<LocatedGraph> {
  const path = isHubLocation(location)
    ? await hubFolder(location, { precision: precision ?? 'fp32', signal })
    : await locateModel(location);
  if (!(await isFolder(path))) {
    if (precision !== undefined) {
      throw wrongValue('precision', precision, 'left out: it chooses among the graphs of a folder, and this is a file');
    }
    return { file: path, folders: foldersOf(dirname(resolve(path))) };
  }
  const file = await graphOf(path, precision);
  return { file, folders: foldersOf(dirname(file)) };
}

/** The dictionary that comes with a graph. Throws `INVALID_ARGUMENT` where there is none. */
export async function dictionaryBeside({ file, folders }: LocatedGraph): Promise<string> {
  for (const folder of folders) {
    for (const name of DICTIONARIES) if (await fileExists(folder, name)) return join(folder, name);
  }
  throw wrongValue(
    'dictionary',
    undefined,
    'the labels of the graph (--dictionary)',
    ` There is no ${DICTIONARIES.join(' or ')} beside ${file}. Recurrent steps are imported in code, by importRecurrentSteps. An export with encoder and decoder needs no import: pass its folder as --model.`,
  );
}

function foldersOf(folder: string): readonly string[] {
  return basename(folder) === GRAPHS ? [folder, dirname(folder)] : [folder];
}

async function graphOf(folder: string, precision: ExportPrecision | undefined): Promise<string> {
  const wanted = `model${PRECISION_SUFFIXES[precision ?? 'fp32']}.onnx`;
  const found: string[] = [];
  for (const place of ['', GRAPHS]) {
    const names = await readdir(join(folder, place)).catch((): string[] => []);
    if (names.includes(wanted)) return join(folder, place, wanted);
    for (const name of names) if (/\.onnx$/i.test(name)) found.push(join(folder, place, name));
  }
  if (found.length === 1 && precision === undefined) return found[0];
  const there =
    found.length === 0
      ? 'no graph (.onnx)'
      : `${found
          .slice(0, SHOWN)
          .map((file) => basename(file))
          .join(', ')}`;
  throw invalidFolder(
    `${folder} holds ${there}, and ${wanted} is required. Name the graph itself, or the folder that holds it. Options of CTC graphs, such as dictionary, mean nothing to weights.`,
    { folder, received: found.slice(0, SHOWN), required: wanted },
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
