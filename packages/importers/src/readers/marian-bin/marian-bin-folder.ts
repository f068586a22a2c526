import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FilePlace,
  invalidFolder,
  quote,
  readNumberedPieces,
  type TokenizerFiles,
  unsupportedModel,
} from '@foretoken/models/internal';
import { folderReader } from '../folder-reader.js';
import type { WeightsFolder } from '../hugging-face/weights-folder.js';
import { readAt, withFile } from '../weights-file.js';
import { BEGIN_BYTES, isMarian } from './item-headers.js';
import { SHORTLIST_NAME } from './lexical-shortlist.js';
import { parseMarianConfig } from './model-config.js';
import { openMarianBin } from './open-marian-bin.js';

/** The `model_type` of folders that are read here; Marian has no such field. */
export const MARIAN_BIN = 'marian-bin';

const VOCABULARY = /^vocab\..*spm$/;
const SOURCES = /^srcvocab\..*spm$/;
const TARGETS = /^trgvocab\..*spm$/;
const COMPRESSED = /\.bin\.(?:gz|zst|xz)$/;

/** Whether a file is a model of Marian: it begins so, or vocabularies lie beside it as Marian's models have them. */
export async function isMarianFile({ folder, file }: FilePlace): Promise<boolean> {
  return file.endsWith('.bin') && ((await beginsSo({ folder, file })) || hasVocabulary(await namesIn(folder)));
}

/** The one model of Marian in a folder with its vocabularies. Throws `UNSUPPORTED_MODEL` where there are several. */
export async function onlyMarian(folder: string): Promise<string | undefined> {
  const names = await namesIn(folder);
  if (names.includes('config.json') || !hasVocabulary(names)) return undefined;
  const files = names.filter((name) => name.endsWith('.bin') && !SHORTLIST_NAME.test(name));
  if (files.length > 1) {
    throw unsupportedModel(
      `${folder} holds ${files.length} models of Marian. Name the one to import, such as ${join(folder, files[0])}.`,
      { folder, received: files.slice(0, 20), required: 'one model' },
    );
  }
  const packed = names.find((name) => COMPRESSED.test(name) && !name.startsWith('lex.'));
  if (files.length === 0 && packed !== undefined) {
    const command = packed.endsWith('.zst') ? 'zstd -d' : packed.endsWith('.xz') ? 'xz -d' : 'gzip -d';
    throw unsupportedModel(
      `${packed} in ${folder} is compressed. Run ${command} on the files of the folder, then import it again.`,
      { folder, file: packed, received: packed, required: 'a .bin file' },
    );
  }
  return files[0];
}

const namesIn = async (folder: string): Promise<string[]> => (await readdir(folder).catch((): string[] => [])).sort();

const hasVocabulary = (names: readonly string[]): boolean =>
  [VOCABULARY, SOURCES, TARGETS].some((kind) => names.some((name) => kind.test(name)));

async function beginsSo(place: FilePlace): Promise<boolean> {
  return withFile(place, async (open) => {
    if (open.bytes < BEGIN_BYTES) return false;
    return isMarian(await readAt(open, new Uint8Array(BEGIN_BYTES), 0, place));
  });
}

/**
 * A model of Marian and the SentencePiece vocabularies beside it as a weights folder: `vocab.*.spm`, or `srcvocab.*.spm` and
 * `trgvocab.*.spm`. Tensors have Marian's names. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, the signal's reason.
 */
export async function openMarianFolder(place: FilePlace, signal?: AbortSignal): Promise<WeightsFolder> {
  const { folder, file } = place;
  const { tensors, elementTypes, config } = await openMarianBin(place);
  signal?.throwIfAborted();
  const { options } = parseMarianConfig(await config(), place);
  signal?.throwIfAborted();
  const names = (await readdir(folder)).sort();
  const tokenizer = await readVocabularies(folder, names);
  return {
    path: folder,
    config: { ...options, model_type: MARIAN_BIN },
    file,
    format: 'marian',
    elementTypes,
    tensors,
    tokenizer,
    readChat: async () => undefined,
    tensor: (name, shape) => {
      const tensor = tensors.get(name);
      if (tensor?.shape.length === shape.length && shape.every((size, at) => size === tensor.shape[at])) return tensor;
      throw invalidFolder(
        `${file} in ${folder}: the tensor ${quote(name)} is ${tensor === undefined ? 'missing' : `[${tensor.shape.join(', ')}]`}, but it must be [${shape.join(', ')}]. Fetch or convert the model again.`,
        { ...place, field: name, received: tensor?.shape ?? 'missing', required: shape },
      );
    },
    integers: async (name) => {
      throw invalidFolder(`${file} in ${folder} has no list of integers ${quote(name)}.`, { ...place, field: name });
    },
  };
}

async function readVocabularies(folder: string, names: readonly string[]): Promise<TokenizerFiles> {
  const one = (what: RegExp): string | undefined => {
    const found = names.filter((name) => what.test(name));
    if (found.length < 2) return found[0];
    throw unsupportedModel(`${folder} holds several vocabularies: ${found.slice(0, 5).join(', ')}. Leave one there.`, {
      folder,
      received: found.slice(0, 20),
      required: 'one vocabulary',
    });
  };
  const shared = one(VOCABULARY);
  const source = shared ?? one(SOURCES);
  const target = shared ?? one(TARGETS);
  if (source === undefined || target === undefined) {
    const required = 'vocab.<languages>.spm, or srcvocab.<languages>.spm and trgvocab.<languages>.spm';
    throw unsupportedModel(`${folder} lacks a vocabulary: ${required}. Fetch the missing files.`, {
      folder,
      file: source === undefined ? 'vocab.spm' : 'trgvocab.spm',
      received: names.filter((name) => name.endsWith('.spm')),
      required,
    });
  }
  const reader = folderReader(folder);
  return readNumberedPieces(reader, source, target);
}
