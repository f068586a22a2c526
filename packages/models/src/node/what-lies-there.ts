import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MANIFEST_FILE } from '../folder/manifest.js';
import { CONFIG } from '../hugging-face/config-files.js';
import { adviceForFile, EXPORT_PART, GRAPH, shellArgument } from './advice-for-file.js';
import { weightsAmong } from './weights-names.js';

export { adviceForFile };

const WHOLE = 'model.safetensors';
/** The folder that exporters put graphs in, below that of the config. */
const OF_GRAPHS = 'onnx';
/** Files of text models of transformers, which lie beside their graphs too. */
const OF_TEXTS = /^(?:tokenizer|tokenizer_config|genai_config)\.json$|^chat_template\./;
const SYMBOLS = 'symbols.json';
/** What peft stores of a model, beside weights under a name of its own. */
const ADAPTER = 'adapter_config.json';
const SHORTLIST = /^lex\..*\.bin(?:\.(?:gz|zst|xz))?$/;
const SHARD = /^.+-\d+-of-\d+\.safetensors$/;

/** Names that are told of a folder, and folders below it that are looked into. */
const SHOWN = 5;
const LOOKED_INTO = 50;
/** How deep a model may lie below the folder that was given, as in a package of another language. */
const DEPTH = 3;

/** What to do with a folder in which the file is missing that says what a model is: what lies there decides. */
export async function adviceFor(folder: string, missing: string): Promise<string> {
  const entries = await entriesOf(folder);
  const names = entries.map(({ name }) => name);
  const has = (pattern: RegExp): string | undefined => names.find((name) => pattern.test(name));
  if (missing === WHOLE && has(SHARD) !== undefined) {
    return `The folder holds parts of the weights, ${has(SHARD)}, and no ${WHOLE}.index.json, which says what is in which. Fetch that too.`;
  }
  if (names.includes(ADAPTER) && !names.includes(WHOLE)) {
    return `The folder holds an adapter (${ADAPTER}), which changes another model and is none itself. Merge it into that model by merge_and_unload() of peft, and store the outcome by save_pretrained().`;
  }
  if (missing === SYMBOLS) {
    return 'It lists the symbols of the model by their ids, such as { "target": ["<s>", "a", "b"] }. Fetch it, or write it.';
  }
  if (missing !== MANIFEST_FILE && missing !== CONFIG) return 'Fetch or create the model again.';
  if (missing === CONFIG && names.includes(MANIFEST_FILE)) {
    return 'The folder is a model folder already: load it as it is, and import nothing.';
  }
  const [graph, weights] = [has(GRAPH), weightsAmong(names)];
  const importable = names.includes(CONFIG) || /\.gguf$/i.test(weights ?? '');
  if (missing === MANIFEST_FILE && weights !== undefined && importable) {
    return `The folder holds weights. Make a model folder of them first: foretoken import ${shellArgument(folder)} --out my-model.`;
  }
  if (graph !== undefined && (await entriesOf(dirname(resolve(folder)))).some(({ name }) => name === CONFIG)) {
    return `Its graphs belong to the folder above it, which has the ${CONFIG}. Give that: ${shellArgument(dirname(resolve(folder)))}.`;
  }
  if (graph !== undefined) return adviceForGraphs(folder, names, graph);
  const exported = names.includes(OF_GRAPHS) && !names.includes(CONFIG) ? await graphBelow(folder) : undefined;
  if (exported !== undefined) return fetchConfig(`graphs in ${OF_GRAPHS}, such as ${exported},`);
  if (weights !== undefined && !importable) {
    return `The folder holds weights, ${weights}, and no ${CONFIG}, which says what model they are. Put the one that came with them beside them.`;
  }
  const shortlist = has(SHORTLIST);
  if (shortlist !== undefined) {
    return `The folder holds a shortlist, ${shortlist}, and no model. Fetch the model's own .bin file and its vocabulary (.spm) into it.`;
  }
  const below = await findBelow(folder, entries, DEPTH);
  if (below !== undefined) return `Did you mean ${shellArgument(below)}?`;
  if (names.includes(CONFIG)) {
    return `The folder holds a ${CONFIG} and no weights beside it, such as ${WHOLE}, model.bin or an .npz file. Fetch the weights of the same model.`;
  }
  if (names.length === 0) return 'The folder is empty. Check the path.';
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `The folder holds no model: it has ${names.slice(0, SHOWN).join(', ')}${more}. Check the path, or make a model folder by foretoken import.`;
}

const fetchConfig = (what: string): string =>
  `The folder holds ${what} and no ${CONFIG}, which says what model they are. Fetch the ${CONFIG} of the same model.`;

/** Of a folder with a graph: a part of an export, whose config is missing, or a graph that is imported alone. */
function adviceForGraphs(folder: string, names: readonly string[], graph: string): string {
  const part = names.find((name) => EXPORT_PART.test(name));
  const isExport = part !== undefined || basename(resolve(folder)) === OF_GRAPHS;
  if (isExport && !names.includes(CONFIG)) return fetchConfig(`graphs of an export, such as ${part ?? graph},`);
  const text = names.find((name) => OF_TEXTS.test(name));
  if (text !== undefined && !names.includes(CONFIG)) {
    return `The folder holds a graph, ${graph}, beside ${text}, and neither ${CONFIG} nor genai_config.json, which say what model it is. Fetch the one that came with it.`;
  }
  const config = names.includes(CONFIG) ? `, whose ${CONFIG} is of no export that is known` : ` and no ${CONFIG}`;
  return `The folder holds graphs${config}. ${adviceForFile(join(folder, graph))}`;
}

async function graphBelow(folder: string): Promise<string | undefined> {
  return (await entriesOf(join(folder, OF_GRAPHS))).map(({ name }) => name).find((name) => GRAPH.test(name));
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The first folder below, or file of weights in it, that holds a model; looked for in few folders. */
async function findBelow(folder: string, entries: readonly Dirent[], depth: number): Promise<string | undefined> {
  const folders = entries.filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name));
  for (const { name } of folders.slice(0, LOOKED_INTO)) {
    const place = join(folder, name);
    const inside = await entriesOf(place);
    const files = inside.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    if (files.includes(MANIFEST_FILE)) return place;
    const found = weightsAmong(files) ?? files.find((file) => GRAPH.test(file));
    if (found !== undefined && GRAPH.test(found) && name === OF_GRAPHS) return folder;
    if (found !== undefined) return /\.gguf$/i.test(found) ? join(place, found) : place;
    const deeper = depth > 1 ? await findBelow(place, inside, depth - 1) : undefined;
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}
