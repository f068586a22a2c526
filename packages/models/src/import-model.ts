import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { NGRAMS_FILE, readNgrams } from './families/ngrams.js';
import { readShortlist, SHORTLIST_FILE } from './families/shortlist.js';
import type { ManifestContent, ModelManifest } from './folder/manifest.js';
import { writeModelFolder } from './folder/write-folder.js';
import { importMarian, stepFiles } from './importers/import-marian.js';
import { importMaskedLanguageModel, isMaskedLanguageModel } from './importers/import-masked-lm.js';
import { mostCandidates } from './importers/import-students.js';
import { configInteger, openWeightsFolder, type WeightsFolder } from './weights/weights-folder.js';

export interface ImportOptions {
  /** Name in the manifest; default: the weights folder's own. */
  readonly name?: string;
  readonly description?: string;
  /** Licence of the weights, in words or as an SPDX expression. */
  readonly licence?: string;
  /** How weights are stored (default float16, half the size); computing is float32 either way. */
  readonly weights?: 'float32' | 'float16';
  /** Weights folder of a CTC student trained on this model's encoder, with an n-gram model and a shortlist beside it or not. */
  readonly ctc?: string;
  /**
   * Weights folder of a shallower CTC student for the fast graph, with the upsampling and the head's tokens of `ctc`
   * (default: `ctc` itself).
   */
  readonly ctcFast?: string;
  /** Weights folders of a canvas, a DAG and an edit student of this model's encoder. */
  readonly canvas?: string;
  readonly dag?: string;
  readonly edit?: string;
  /** Free facts about the training, kept in the manifest. */
  readonly training?: Readonly<Record<string, unknown>>;
  /** Replace an existing target folder (default: refuse). */
  readonly replace?: boolean;
  /** Stops the import; up to the moment the folder is in place, nothing has changed then. */
  readonly signal?: AbortSignal;
}

/** Most candidates the top-k head of an imported decoder returns for each node. */
const STEP_CANDIDATES = 64;
const STUDENTS = ['ctc', 'ctcFast', 'canvas', 'dag', 'edit'] as const;

/** What becomes a model folder: its manifest, the files' sizes and digests apart, and its files. */
interface ModelContent {
  readonly manifest: ManifestContent;
  readonly files: Map<string, Uint8Array | string>;
}

/**
 * Imports a weights folder (config.json, model.safetensors, tokenizer.json) as a Foretoken model folder at `target`: a
 * Marian model with its students, or a masked language model (`foretoken-canvas` without cross-attention), which has
 * none.
 *
 * Written whole or not at all. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`.
 */
export async function importModel(
  weightsFolder: string,
  target: string,
  options: ImportOptions = {},
): Promise<ModelManifest> {
  const weights = options.weights ?? 'float16';
  if (weights !== 'float16' && weights !== 'float32') {
    throw new ForetokenError('INVALID_ARGUMENT', `weights must be float16 or float32, but was ${String(weights)}.`, {
      option: 'weights',
      received: weights,
    });
  }
  const { signal } = options;
  signal?.throwIfAborted();
  const folder = await openWeightsFolder(weightsFolder);
  const named = { ...options, name: options.name ?? basename(resolve(weightsFolder)) };
  const content = isMaskedLanguageModel(folder)
    ? maskedLanguageModelContent(folder, named, weights)
    : await marianContent(folder, named, weights);
  return writeModelFolder(target, content.manifest, content.files, {
    replace: options.replace ?? false,
    ...(signal === undefined ? {} : { signal }),
  });
}

type NamedOptions = ImportOptions & { readonly name: string };

function heading({ name, description = '', licence = 'unknown' }: NamedOptions) {
  return { format: 'foretoken-model', formatVersion: 1, name, description, licence } as const;
}

async function marianContent(
  folder: WeightsFolder,
  options: NamedOptions,
  weights: 'float32' | 'float16',
): Promise<ModelContent> {
  if (options.ctcFast !== undefined && options.ctc === undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'ctcFast takes the place of ctc in one graph only, and ctc is missing. Give both, or leave out ctcFast.',
      { option: 'ctcFast', received: options.ctcFast, required: 'ctc' },
    );
  }
  const students: Partial<Record<(typeof STUDENTS)[number], WeightsFolder>> = {};
  for (const student of STUDENTS) {
    const path = options[student];
    if (path !== undefined) students[student] = await openWeightsFolder(path);
  }
  const ngrams = options.ctc === undefined ? undefined : await optionalFile(join(options.ctc, NGRAMS_FILE));
  const unknownTokenId = unknownToken(folder.tokenizerJson);
  const padTokenId = padToken(folder.tokenizerJson);
  // A CTC model needs an id for the blank that no output can mean: the padding's.
  const blankId = padTokenId ?? 0;
  const listed = options.ctc === undefined ? undefined : await optionalFile(join(options.ctc, SHORTLIST_FILE));
  const shortlist =
    listed === undefined
      ? undefined
      : readShortlist(
          listed,
          { folder: options.ctc as string, file: SHORTLIST_FILE },
          configInteger(folder, 'vocab_size', 3, 1_000_000),
          blankId,
        );
  const imported = importMarian(folder, {
    weights,
    blankId,
    students,
    ...(shortlist === undefined ? {} : { shortlist }),
  });
  const { shape, tokens, files } = imported;
  if (listed !== undefined) files.set(SHORTLIST_FILE, listed);
  if (ngrams !== undefined) {
    readNgrams(ngrams, { folder: options.ctc as string, file: NGRAMS_FILE }, shape.vocabularySize);
    files.set(NGRAMS_FILE, ngrams);
  }
  const manifest: ManifestContent = {
    ...heading(options),
    family: 'marian',
    tokenizer: 'tokenizer.json',
    vocabulary: {
      size: shape.vocabularySize,
      endTokenId: tokens.end,
      startTokenId: tokens.start,
      padTokenId: padTokenId ?? tokens.pad,
      ...(unknownTokenId === undefined ? {} : { unknownTokenId }),
    },
    limits: { sourceLength: shape.maxPositions, targetLength: shape.maxPositions },
    architecture: {
      width: shape.width,
      heads: shape.heads,
      encoderLayers: shape.encoderLayers,
      decoderLayers: shape.decoderLayers,
    },
    graphs: { encoder: 'encoder.onnx', step: { ...stepFiles() }, ...imported.students.graphs },
    step: { maxCandidates: Math.min(STEP_CANDIDATES, shape.vocabularySize) },
    ...imported.students.facts,
    ...(ngrams === undefined ? {} : { ngrams: NGRAMS_FILE }),
    ...(shortlist === undefined ? {} : { shortlist: SHORTLIST_FILE }),
    training: { ...options.training, weights },
  };
  return { manifest, files };
}

function maskedLanguageModelContent(
  folder: WeightsFolder,
  options: NamedOptions,
  weights: 'float32' | 'float16',
): ModelContent {
  const student = STUDENTS.find((name) => options[name] !== undefined);
  if (student !== undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${folder.path} is a masked language model, whose encoder a ${student} student could read is missing. Leave out ${student}.`,
      { option: student, received: options[student] },
    );
  }
  const { network, fill, files, endTokenId } = importMaskedLanguageModel(folder, weights);
  const { vocabularySize, maxPositions, width, heads, layers } = network.shape;
  const unknownTokenId = unknownToken(folder.tokenizerJson);
  const padTokenId = padToken(folder.tokenizerJson);
  const manifest: ManifestContent = {
    ...heading(options),
    family: 'masked-lm',
    tokenizer: 'tokenizer.json',
    vocabulary: {
      size: vocabularySize,
      endTokenId,
      ...(padTokenId === undefined ? {} : { padTokenId }),
      ...(unknownTokenId === undefined ? {} : { unknownTokenId }),
    },
    limits: { sourceLength: maxPositions, targetLength: maxPositions },
    architecture: { width, heads, layers },
    graphs: { fill },
    canvas: { maskTokenId: network.maskTokenId, maxCandidates: mostCandidates(network.headTokenIds) },
    training: { ...options.training, weights },
  };
  return { manifest, files };
}

async function optionalFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

interface TokenizerFile {
  readonly model?: { readonly unk_token?: string; readonly vocab?: unknown };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

function tokenId(tokenizerJson: string, content: (file: TokenizerFile) => string | undefined): number | undefined {
  const file = JSON.parse(tokenizerJson) as TokenizerFile;
  const wanted = content(file);
  return file.added_tokens?.find((token) => token.content === wanted)?.id;
}

function unknownToken(tokenizerJson: string): number | undefined {
  return tokenId(tokenizerJson, (file) => file.model?.unk_token ?? '<unk>');
}

function padToken(tokenizerJson: string): number | undefined {
  return tokenId(tokenizerJson, () => '<pad>');
}
