import { ForetokenError } from '@foretoken/core';
import { parseManifest } from '../../folder/check-manifest.js';
import { exportPrecisions } from '../../folder/export-precisions.js';
import { decodeUtf8, isObject, parseJson } from '../../folder/json.js';
import { MANIFEST_BYTES } from '../../folder/manifest.js';
import type { OpenFolderOptions, VerifiedFolder } from '../../folder/model-folder.js';
import { invalidFolder, quote } from '../../folder/refusal.js';
import { CONFIG, type ConfigFiles, GENERATION_CONFIG } from '../../hugging-face/config-files.js';
import {
  type ExportGenerationFacts,
  readCausalGeneration,
  readExportGeneration,
} from '../../hugging-face/generation-config.js';
import { isMultilingual, readLanguages } from '../../hugging-face/languages.js';
import { PREPROCESSOR, readPreprocessor } from '../../hugging-face/preprocessor-config.js';
import { readTokenizerConfig, TOKENIZER_CONFIG } from '../../hugging-face/tokenizer-config.js';
import { readTokenizerFiles, type TokenizerFiles } from '../../hugging-face/tokenizer-files.js';
import {
  NUMBERED_PIECES,
  ONE_MODEL,
  PIECES,
  TARGET_VOCABULARY,
  TOKENIZER,
} from '../../hugging-face/tokenizer-names.js';
import type { ModelIo } from '../../io/model-io.js';
import type { NamedTokens } from '../../tokenizer/named-tokens.js';
import { cacheShape, positionsOf, sourceVocabularySize, vocabularySize } from './export-config.js';
import { type ExportFiles, findExport } from './export-files.js';
import type { OnnxExportManifest } from './export-manifest.js';
import { ExportReader } from './export-reader.js';
import { decoderRoles, encoderRoles } from './export-roles.js';
import { GENAI_CONFIG, type GenaiModel, readGenai } from './genai-config.js';
import type { UnusedPart } from './genai-parts.js';
import { readHeard } from './genai-sound.js';
import { LISTED_TOKENS, readListedTokens } from './listed-tokens.js';
import { type ReadGraphs, readGraphs } from './read-graphs.js';
import { readTold } from './read-told.js';
import { refuseOtherTasks } from './refused-tasks.js';
import { MAX_SECONDS, readSoundConfig } from './sound-config.js';
import type { Preprocessor } from './spectrum-config.js';
import { stepRoles } from './step-roles.js';

/** Where a model has no most positions of its own, and its configs name no most tokens. */
const MAX_SOURCE = 16_384;
const MAX_OUTPUT = 512;

/**
 * What a folder in the layout of Optimum or transformers.js would say of itself, with all that is used of it; `undefined` where a
 * folder is none. Its files have no digests of their own: they are taken as they are, once.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT` (a precision that it does not have), `NETWORK_FAILURE`, or
 * the signal's reason.
 */
export async function adaptExport(io: ModelIo, options: OpenFolderOptions): Promise<VerifiedFolder | undefined> {
  const { signal } = options;
  const precision = options.precision === undefined ? undefined : exportPrecisions('precision', options.precision);
  const reader = new ExportReader(io, options);
  const genai = (await reader.has(GENAI_CONFIG)) ? await readGenai(reader) : undefined;
  const hasConfig = await reader.has(CONFIG);
  if (genai === undefined && !hasConfig && !(await reader.has(LISTED_TOKENS))) return undefined;
  const files = genai === undefined ? await findExport(io, precision, signal) : genaiFiles(io, genai, precision);
  if (files === undefined) return undefined;
  const told = genai?.configs ?? (hasConfig ? await readConfigs(reader) : (await readListedTokens(reader)).configs);
  if (files.encoder === undefined) refuseOtherTasks(told, files.decoder);
  const read = await readGraphs(reader, files, genai);
  stepRoles(read);
  const heard = genai && (await readHeard(reader, genai, read.graphs.encoder));
  const configs = heard?.genai.configs ?? told;
  const content = await describe(reader, { configs, ...heard, unused: genai?.unused }, files, read);
  const unused = [CONFIG, GENERATION_CONFIG, GENAI_CONFIG, PREPROCESSOR, LISTED_TOKENS, TOKENIZER_CONFIG];
  for (const file of [...unused, ...(genai === undefined ? [] : [genai.processor])]) reader.forget(file);
  const manifest = await parseManifest(JSON.stringify({ ...content, files: reader.records }), io.folder);
  return { manifest, contents: reader.contents };
}

/** The graphs of such a folder, which has one precision. Throws `INVALID_ARGUMENT`. */
function genaiFiles({ folder }: ModelIo, { encoder, decoder }: GenaiModel, received: unknown): ExportFiles {
  if (received === undefined) return { precision: 'as-built', encoder: encoder?.file, decoder: decoder.file };
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `precision chooses among the graphs of an export, but ${folder} is a folder of onnxruntime-genai, which has one. Leave it out.`,
    { option: 'precision', received, folder },
  );
}

async function readConfigs(reader: ExportReader): Promise<ConfigFiles> {
  const { path } = reader;
  const readObject = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
    const text = decodeUtf8(await reader.read(file, MANIFEST_BYTES), file, { folder: path });
    const content = parseJson(text, file, { folder: path });
    if (isObject(content)) return content;
    throw invalidFolder(`${file} in ${path} is ${quote(content)}, but it must be a JSON object.`, {
      folder: path,
      file,
      received: content,
      required: 'an object',
    });
  };
  const config = await readObject(CONFIG);
  const generationConfig = (await reader.has(GENERATION_CONFIG)) ? await readObject(GENERATION_CONFIG) : undefined;
  return { path, config, generationConfig };
}

/** What says of a model what it is. */
interface Described {
  readonly configs: ConfigFiles;
  /** What says how its sound is read, where that is not a preprocessor's config. */
  readonly preprocessor?: Preprocessor | undefined;
  /** Parts that are not used. */
  readonly unused?: readonly UnusedPart[] | undefined;
}

async function describe(
  reader: ExportReader,
  { configs, preprocessor, unused = [] }: Described,
  { precision }: ExportFiles,
  { graphs, dependentRows, positions }: ReadGraphs,
): Promise<Omit<OnnxExportManifest, 'files'>> {
  const { path } = reader;
  const last = graphs.decoderWithPast ?? graphs.decoder;
  const size = vocabularySize(configs, last, decoderRoles(last).logits);
  const { encoder } = graphs;
  const reads = encoder && encoderRoles(encoder).reads;
  const encodes = encoder !== undefined;
  const hears = reads === 'samples';
  const sources = reads === 'tokens' ? sourceVocabularySize(configs, size) : size;
  const tokenizer = await readTokenizer(reader, sources !== size);
  const named = tokenizer?.namedTokens(size) ?? {};
  const spectrum = async () => preprocessor ?? { file: PREPROCESSOR, config: (await readPreprocessor(reader)) ?? {} };
  const told =
    encodes && reads === 'spectra' ? readTold(configs, await spectrum(), encoder, tokenizer, size, named) : undefined;
  const generation = told?.generation ?? readGeneration(configs, size, encodes, named);
  const { beginning, suppressed, pad, maxLength } = generation;
  const notes = [...generation.notes, ...unused];
  const [endTokenId, ...stopTokenIds] = generation.ends;
  const sourceTokens = encodes ? tokenizer?.sourceTokens?.(sources) : undefined;
  const languages =
    tokenizer !== undefined && isMultilingual(configs.config)
      ? readLanguages({ path, tokenizer, tokenizerConfig: await readTokenizerConfig(reader) }, size, beginning)
      : undefined;
  for (const [name, content] of languages?.files ?? []) {
    reader.forget(name);
    await reader.keep(name, content);
  }
  const { source, output } = positionsOf(configs, encodes);
  const audio = hears ? await readSoundConfig(reader) : undefined;
  // The source of a decoder alone is a prompt.
  const ofSource = encodes ? positions.source : positions.output;
  return {
    format: 'foretoken-model',
    formatVersion: 1,
    name:
      path
        .split(/[\\/]/)
        .findLast((part) => part !== '')
        ?.replace(/[\p{Cc}\p{Cf}]/gu, '') || 'export',
    description: '',
    licence: 'unknown',
    family: 'onnx-export',
    tokenizer: tokenizer?.names,
    vocabulary: {
      size,
      endTokenId,
      padTokenId: pad,
      unknownTokenId: named.unknown,
    },
    sourceVocabulary:
      sources === size && sourceTokens === undefined
        ? undefined
        : {
            size: sources,
            endTokenId: sourceTokens?.end,
            padTokenId: sourceTokens?.pad,
            unknownTokenId: sourceTokens?.unknown,
          },
    limits: {
      // A config may promise more than the graphs have rows for.
      sourceLength: told?.audio.frames ?? (hears ? 100 * MAX_SECONDS : Math.min(source ?? MAX_SOURCE, ofSource)),
      targetLength: Math.min(output ?? (encodes ? lengthOfOutputs(maxLength, hears) : MAX_SOURCE), positions.output),
    },
    architecture: wordOf(configs.config.model_type),
    precision,
    graphs,
    audio,
    spectrum: told?.audio,
    speech: told?.speech,
    untoldPositions: output !== undefined && positions.output === Number.POSITIVE_INFINITY ? true : undefined,
    cache: cacheShape(configs),
    beginning: languages?.beginning ?? beginning,
    languages: languages?.manifest,
    suppressed,
    suppressedFirst: told?.generation.suppressedFirst,
    stopTokenIds,
    dependentRows,
    training: {
      notUsed:
        notes.length === 0 ? undefined : Object.fromEntries(notes.map(({ field, received }) => [field, received])),
    },
  };
}

function readGeneration(
  configs: ConfigFiles,
  size: number,
  encodes: boolean,
  named: NamedTokens,
): ExportGenerationFacts {
  return encodes
    ? readExportGeneration(configs, size, named)
    : { ...readCausalGeneration(configs, size, named), beginning: [] };
}

/**
 * Most tokens of an output where a model has no most positions. Of text a length in a config says where outputs are cut by default,
 * not what the model can do, so it is no limit below the usual one; of sound it is what the model was made for.
 */
function lengthOfOutputs(told: number | undefined, hears: boolean): number {
  if (hears) return told ?? MAX_OUTPUT;
  return Math.min(Math.max(told ?? 0, MAX_OUTPUT), MAX_SOURCE);
}

/** SentencePiece models without a list of their token ids. */
const UNLISTED_PIECES = [NUMBERED_PIECES, ONE_MODEL];

/**
 * The tokenizer of an export, which need not have one that is read here; `two` vocabularies need one each. Throws
 * `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
async function readTokenizer(reader: ExportReader, two: boolean): Promise<TokenizerFiles | undefined> {
  if (two && !(await reader.has(TARGET_VOCABULARY))) return undefined;
  if ((await reader.has(TOKENIZER)) || (await reader.has(PIECES.source))) return readTokenizerFiles(reader);
  if (await reader.has(LISTED_TOKENS)) return keep(reader, (await readListedTokens(reader)).tokenizer);
  const there = await Promise.all(UNLISTED_PIECES.map((file) => reader.has(file)));
  if (!there.includes(true)) return undefined;
  try {
    return await keep(reader, await readTokenizerFiles(reader));
  } catch (error) {
    if (!ForetokenError.isInstance(error) || error.code !== 'UNSUPPORTED_MODEL') throw error;
    // Whoever has a processor can load it all the same; others are told at the load.
    for (const file of UNLISTED_PIECES) reader.forget(file);
    return undefined;
  }
}

/** Keeps what of a tokenizer lies in no file of the folder, such as the numbers of its pieces. */
async function keep(reader: ExportReader, tokenizer: TokenizerFiles): Promise<TokenizerFiles> {
  for (const [name, content] of tokenizer.files) await reader.keep(name, content);
  return tokenizer;
}

function wordOf(type: unknown): string {
  const word = typeof type === 'string' ? type.replace(/[^\w.-]/g, '').slice(0, 100) : '';
  return word === '' ? 'unknown' : word;
}
