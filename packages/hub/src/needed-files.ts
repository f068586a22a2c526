import { ForetokenError } from '@foretoken/core';
import { exportFiles, type HubPrecision } from './export-graphs.js';
import { GENAI, genaiGraphs } from './genai-files.js';
import { ggufFile } from './gguf-files.js';
import type { HubFile } from './list-hub-files.js';
import { shardNames } from './shard-names.js';

/** The manifest of a folder that Foretoken can load as it is. */
export const MANIFEST = 'foretoken.json';

/** Tokens of exports that have neither config nor tokenizer.json, such as Moonshine's. */
const LISTED_TOKENS = 'tokenizer.bin';

const BESIDE_WEIGHTS = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'source.spm',
  'target.spm',
  'added_tokens.json',
  'tokens.txt',
  'vocab.json',
  'target_vocab.json',
  'sentencepiece.bpe.model',
  'spiece.model',
];
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** What CTranslate2 calls weights. */
const CONVERTED = 'model.bin';
/** What lies beside them: lists of tokens, and SentencePiece models of any name. */
const BESIDE_CONVERTED =
  /^(?:vocabulary\.json|(?:shared|source|target)_vocabulary\.(?:json|txt)|vmap\.txt|[^/]+\.(?:spm|model))$/;
/** A vocabulary in pieces beside weights that have no config, and what is no such weights: files in folders, and pickles. */
const VOCABULARY = /^(src|trg)?vocab\.[^/]*spm$/;
const BESIDE_VOCABULARY = /^(?!pytorch_model)[^/]+\.bin$/;
const ARRAYS = /^[^/]+\.npz$/;

/** Which of a repository's files are wanted, where it holds the model in several precisions. */
export interface HubChoice {
  /** Of an ONNX export, such as `q8`; `fp32` for its plain graphs, also where there are weights beside them. */
  readonly precision?: HubPrecision | undefined;
  /** Of GGUF files, such as `Q4_K_M`. */
  readonly quantisation?: string | undefined;
}

/**
 * The files of a repository that are of use: those that are chosen; else of a Foretoken model folder all, else weights, the
 * graphs of an ONNX export, a GGUF file, or weights in other formats, with what describes them. `read` fetches a small file.
 *
 * Throws `UNSUPPORTED_MODEL` where there are none, `INVALID_ARGUMENT` where what is chosen is not there or must be chosen,
 * `INVALID_MODEL_FOLDER` for an index that names no files of the repository.
 */
export async function neededFiles(
  files: readonly HubFile[],
  repository: string,
  { precision, quantisation }: HubChoice,
  read: (file: HubFile) => Promise<string>,
): Promise<HubFile[]> {
  const has = (path: string): boolean => files.some((file) => file.path === path);
  const described = (wanted: readonly string[]): HubFile[] =>
    files.filter(({ path }) => wanted.includes(path) || BESIDE_WEIGHTS.includes(path));
  const gguf = (): HubFile[] => files.filter(({ path }) => path === ggufFile(files, repository, quantisation));
  if (quantisation !== undefined) return gguf();
  if (precision === undefined) {
    if (has(MANIFEST)) return files.filter(({ path }) => !/^\.|(^|\/)(README|LICENSE)(\.md)?$/.test(path));
    if (has(WEIGHTS)) return described([WEIGHTS]);
    const index = files.find(({ path }) => path === INDEX);
    if (index !== undefined) return described([INDEX, ...shardNames(await read(index), INDEX, repository, files)]);
    const genai = files.find(({ path }) => path === GENAI);
    const named = genai && genaiGraphs(await read(genai), repository, files);
    if (named !== undefined) return described([GENAI, ...named]);
  }
  const graphs = exportFiles(files, repository, precision);
  if (graphs !== undefined) return described([GENAI, LISTED_TOKENS, ...graphs]);
  const [file] = gguf();
  if (file !== undefined) return [file];
  const others = otherWeights(files.map(({ path }) => path));
  if (others.length > 0) return described(others);
  const pickle = files.find(({ path }) => /^pytorch_model(-\d+-of-\d+)?\.bin$/.test(path));
  throw new ForetokenError(
    'UNSUPPORTED_MODEL',
    pickle === undefined
      ? `${repository} on the hub holds neither ${MANIFEST} nor ${WEIGHTS}, and no graphs or weights in another form that is known. Name a repository that holds one of them.`
      : `${repository} on the hub holds its weights as ${pickle.path}, a pickle, which can run any code when it is read; ${WEIGHTS} is required. Look for a revision that has it (many have a pull request, as in hub:owner/name@refs/pr/1), or download the folder: foretoken import says the command that converts it.`,
    { repository, received: files.slice(0, 20).map(({ path }) => path), required: [MANIFEST, WEIGHTS, INDEX] },
  );
}

/** Weights as CTranslate2 and NumPy have them, and those of one file with vocabularies beside it. */
function otherWeights(paths: readonly string[]): string[] {
  if (paths.includes(CONVERTED)) return [CONVERTED, ...paths.filter((path) => BESIDE_CONVERTED.test(path))];
  const vocabularies = paths.filter((path) => VOCABULARY.test(path));
  const beside = paths.filter((path) => BESIDE_VOCABULARY.test(path));
  const isMarked = !paths.includes('config.json') && vocabularies.length > 0 && beside.length > 0;
  if (isMarked) return [...vocabularies, ...beside];
  return paths.filter((path) => ARRAYS.test(path));
}
