import { basename, resolve } from 'node:path';
import {
  checkOptions,
  ForetokenError,
  flag,
  type OptionReader,
  type OptionTable,
  oneOf,
  text,
  withMethods,
  wrongValue,
  Yielder,
} from '@foretoken/core';
import {
  assertTarget,
  type FileContent,
  isObject,
  type ManifestContent,
  type MarianManifest,
  type MaskedLanguageModelManifest,
  type ModelManifest,
  NGRAMS_FILE,
  proveModel,
  readNamedTokens,
  readNgrams,
  readShortlist,
  SHORTLIST_FILE,
  writeModelFolder,
} from '@foretoken/models/folder';
import { importMarian, stepFiles } from './architectures/marian/import-marian.js';
import { importMaskedLanguageModel, isMaskedLanguageModel } from './architectures/masked-lm/import-masked-lm.js';
import type { ImportNote } from './readers/hugging-face/generation-config.js';
import { configInteger, openWeightsFolder, type WeightsFolder } from './readers/hugging-face/weights-folder.js';
import { readSideBytes } from './readers/side-bytes.js';
import { mostCandidates } from './students/import-students.js';

export interface ImportOptions {
  /** Name in the manifest; default: the weights folder's own. */
  readonly name?: string;
  readonly description?: string;
  /** Licence of the weights, in words or as an SPDX expression. */
  readonly licence?: string;
  /**
   * How weights are stored (default float16, half the size); computing is float32 either way, and weights that float16 cannot
   * hold stay float32.
   */
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
  /** Looked at between steps; once the model is in place it has no effect any more. */
  readonly signal?: AbortSignal;
  /**
   * Told what the weights folder says about decoding that the model does not do by itself, such as `num_beams`. The manifest
   * lists it too, as `training.notUsed`.
   */
  readonly onNote?: (note: ImportNote) => void;
}

/** Most candidates the top-k head of an imported decoder returns for each node. */
const STEP_CANDIDATES = 64;
const STUDENTS = ['ctc', 'ctcFast', 'canvas', 'dag', 'edit'] as const;

const facts: OptionReader<Readonly<Record<string, unknown>>> = (name, value) => {
  if (isObject(value)) return value;
  throw wrongValue(name, value, 'an object of facts');
};
const listener: OptionReader<(note: ImportNote) => void> = (name, value) => {
  if (typeof value === 'function') return value as (note: ImportNote) => void;
  throw wrongValue(name, value, 'a function');
};
const OPTIONS: OptionTable<ImportOptions> = {
  name: text,
  description: text,
  licence: text,
  weights: oneOf('float16', 'float32'),
  ctc: text,
  ctcFast: text,
  canvas: text,
  dag: text,
  edit: text,
  training: facts,
  replace: flag,
  signal: withMethods<AbortSignal>('an AbortSignal', 'throwIfAborted', 'addEventListener'),
  onNote: listener,
};

/** What becomes a model folder: its manifest, the files' sizes and digests apart, and its files. */
interface ModelContent {
  readonly manifest: ManifestContent;
  readonly files: Map<string, FileContent>;
}

/**
 * Imports a weights folder (config.json, model.safetensors, tokenizer.json) as a Foretoken model folder at `target`: a
 * Marian model with its students, or a masked language model (`foretoken-canvas` without cross-attention), which has
 * none.
 *
 * Written whole or not at all, and read as loading reads it before it becomes the target. Throws `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, and the signal's reason.
 */
export async function importModel(
  weightsFolder: string,
  target: string,
  options: ImportOptions = {},
): Promise<ModelManifest> {
  const given = checkOptions('importModel', options, OPTIONS);
  const { signal } = given;
  signal?.throwIfAborted();
  for (const [name, path] of [
    ['weightsFolder', weightsFolder],
    ['target', target],
  ] as const) {
    if (typeof path !== 'string' || path === '' || path.includes('\0'))
      throw wrongValue(name, path, 'the path of a folder');
  }
  const pace = new Yielder(signal);
  const folder = await openWeightsFolder(weightsFolder, signal);
  // Before all the work, and again when it is done.
  await assertTarget(target, given.replace ?? false);
  const named = { ...given, name: given.name ?? basename(resolve(weightsFolder)), weights: given.weights ?? 'float16' };
  const content = isMaskedLanguageModel(folder)
    ? await maskedLanguageModelContent(folder, named, pace)
    : await marianContent(folder, named, pace);
  return writeModelFolder(target, content.manifest, content.files, {
    replace: given.replace ?? false,
    ...(signal === undefined ? {} : { signal }),
    prove: (path) => proveModel(path, signal),
  });
}

type NamedOptions = ImportOptions & { readonly name: string; readonly weights: 'float32' | 'float16' };

function heading({ name, description = '', licence = 'unknown' }: NamedOptions) {
  return { format: 'foretoken-model', formatVersion: 1, name, description, licence } as const;
}

async function marianContent(folder: WeightsFolder, options: NamedOptions, pace: Yielder): Promise<ModelContent> {
  const { weights, signal } = options;
  if (options.ctcFast !== undefined && options.ctc === undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'ctcFast takes the place of ctc in one graph only, and ctc is missing. Give both, or leave out ctcFast.',
      { option: 'ctcFast', received: options.ctcFast, required: 'ctc' },
    );
  }
  const size = configInteger(folder, 'vocab_size', 3, 1_000_000);
  const { unknown: unknownTokenId, pad: padTokenId } = readNamedTokens(folder.tokenizerJson, size, folder.path);
  const students: Partial<Record<(typeof STUDENTS)[number], WeightsFolder>> = {};
  for (const student of STUDENTS) {
    const path = options[student];
    if (path !== undefined) students[student] = await openWeightsFolder(path, signal);
  }
  // A CTC model needs an id for the blank that no output can mean: the padding's.
  const blankId = padTokenId ?? 0;
  const place = (file: string) => ({ folder: students.ctc?.path ?? '', file });
  const ngrams = students.ctc && (await readSideBytes(students.ctc.path, NGRAMS_FILE));
  // Only checked here; what ends an output is known later.
  if (ngrams !== undefined) readNgrams(ngrams, place(NGRAMS_FILE), { size, endTokenId: -1 });
  const listed = students.ctc && (await readSideBytes(students.ctc.path, SHORTLIST_FILE));
  const shortlist = listed && readShortlist(listed, place(SHORTLIST_FILE), size, blankId);
  const imported = await importMarian(folder, {
    weights,
    blankId,
    students,
    pace,
    ...(shortlist === undefined ? {} : { shortlist }),
  });
  const { shape, generation, files } = imported;
  const { tokens, notes } = generation;
  if (listed !== undefined) files.set(SHORTLIST_FILE, listed);
  if (ngrams !== undefined) files.set(NGRAMS_FILE, ngrams);
  for (const note of notes) options.onNote?.(note);
  const notUsed = Object.fromEntries(notes.map(({ field, received }) => [field, received]));
  const manifest: ManifestContent<MarianManifest> = {
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
    training: { ...options.training, weights, ...(notes.length === 0 ? {} : { notUsed }) },
  };
  return { manifest, files };
}

async function maskedLanguageModelContent(
  folder: WeightsFolder,
  options: NamedOptions,
  pace: Yielder,
): Promise<ModelContent> {
  const { weights } = options;
  const student = STUDENTS.find((name) => options[name] !== undefined);
  if (student !== undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${folder.path} is a masked language model, whose encoder a ${student} student could read is missing. Leave out ${student}.`,
      { option: student, received: options[student] },
    );
  }
  const size = configInteger(folder, 'vocab_size', 3, 1_000_000);
  const { unknown: unknownTokenId, pad: padTokenId } = readNamedTokens(folder.tokenizerJson, size, folder.path);
  const { network, fill, files, endTokenId } = await importMaskedLanguageModel(folder, weights, pace);
  const { vocabularySize, maxPositions, width, heads, layers } = network.shape;
  const manifest: ManifestContent<MaskedLanguageModelManifest> = {
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
