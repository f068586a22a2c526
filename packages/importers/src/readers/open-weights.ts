import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { graphsAmong, unsupportedModel, weightsAmong } from '@foretoken/models/internal';
import { MODEL_BIN, openModelBinFolder } from './ctranslate2/model-bin-folder.js';
import { fileExists } from './file-exists.js';
import { openGgufFolder } from './gguf/gguf-folder.js';
import { openWeightsFolder, type TokenizerOf, type WeightsFolder } from './hugging-face/weights-folder.js';
import { isMarianFile, onlyMarian, openMarianFolder } from './marian-bin/marian-bin-folder.js';
import { refusePickle } from './pickles.js';

const GGUF = /\.gguf$/i;
/** One of several files of a model. */
const PART = /-\d{5}-of-\d{5}\.gguf$/i;

/**
 * Opens weights, by what they are: a GGUF file, a folder that holds one and no other weights, a model of Marian
 * (Firefox) or the folder it lies in, a folder of CTranslate2 or its `model.bin`, or a folder in the layout of transformers,
 * of which `tokenizerOf` says the file that says its tokens.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, the signal's reason.
 */
export async function openWeights(
  path: string,
  signal?: AbortSignal,
  tokenizerOf?: TokenizerOf,
): Promise<WeightsFolder> {
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
  const whole = resolve(path);
  const place = { folder: dirname(whole), file: basename(whole) };
  if (isFile) await refusePickle(place);
  if (isFile && (await isMarianFile(place))) return openMarianFolder(place, signal);
  if (isFile && place.file === MODEL_BIN) return openModelBinFolder(place.folder, signal);
  if (isFile) return openGgufFolder(place, signal);
  const ofMarian = await onlyMarian(whole);
  if (ofMarian !== undefined) return openMarianFolder({ folder: whole, file: ofMarian }, signal);
  // Folders of transformers have safetensors beside whatever else lies there.
  const converted = (await fileExists(whole, MODEL_BIN)) && !(await hasSafetensors(whole));
  if (converted) await refusePickle({ folder: whole, file: MODEL_BIN });
  if (converted) return openModelBinFolder(whole, signal);
  await refuseGraphs(whole);
  const file = await onlyGguf(whole);
  return file === undefined
    ? openWeightsFolder(path, signal, tokenizerOf)
    : openGgufFolder({ folder: whole, file }, signal);
}

/** Throws `UNSUPPORTED_MODEL` for a folder that holds graphs and no weights: it is opened, not imported. */
async function refuseGraphs(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  const graph = graphsAmong(names);
  if (graph === undefined || weightsAmong(names) !== undefined) return;
  throw unsupportedModel(
    `${folder} holds graphs (${graph}), and no weights to import. It needs no import: load it as it is, or pass it as --model. A CTC graph is imported with its labels, by --dictionary.`,
    { folder, file: graph, received: 'graphs', required: 'weights' },
  );
}

/** The one GGUF file of a folder without other weights. Throws `UNSUPPORTED_MODEL` where there are several. */
async function onlyGguf(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.filter((name) => GGUF.test(name)).sort();
  // A config may lie beside it, which says less than the file itself.
  if (weightsAmong(names.filter((name) => !GGUF.test(name))) !== undefined) return undefined;
  if (files.length < 2) return files[0];
  if (files.every((name) => PART.test(name))) {
    throw unsupportedModel(
      `${folder} holds a model in ${files.length} GGUF files, but one is required. Join the parts with llama-gguf-split --merge ${join(folder, files[0])} model.gguf, and import that file.`,
      { folder, file: files[0], received: files.slice(0, 20), required: 'one GGUF file' },
    );
  }
  throw unsupportedModel(
    `${folder} holds ${files.length} GGUF files. Name the one to import, such as ${join(folder, files[0])}.`,
    { folder, received: files.slice(0, 20), required: 'one GGUF file' },
  );
}

async function hasSafetensors(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.some((name) => /\.safetensors(\.index\.json)?$/.test(name));
}
