import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import {
  type ManifestContent,
  type MarianManifest,
  NGRAMS_FILE,
  readNgrams,
  readPadding,
  readShortlist,
  SHORTLIST_FILE,
} from '@foretoken/models/internal';
import { STUDENTS } from '../../import-options.js';
import { configInteger } from '../../readers/hugging-face/config-fields.js';
import { openWeightsFolder, type WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { readSideBytes } from '../../readers/side-bytes.js';
import { textFiles } from '../../readers/text-files.js';
import { heading } from '../../target-options.js';
import type { ModelContent } from '../../write-model.js';
import type { Architecture, NamedOptions } from '../architecture.js';
import { importMarian } from './import-marian.js';
import { isPlain } from './marian-shape.js';

/** Most candidates the top-k head of an imported decoder returns for each node. */
const STEP_CANDIDATES = 64;

/** Marian: an encoder and a decoder that translate, with any of the students that read the same encoder. */
export const marian: Architecture = {
  name: 'marian',
  kinds: ['marian'],
  recognises: ({ config }) => isPlain(config),
  build,
};

async function build(folder: WeightsFolder, options: NamedOptions, pace: Yielder): Promise<ModelContent> {
  const { weights, signal } = options;
  if (options.ctcFast !== undefined && options.ctc === undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'ctcFast takes the place of ctc in one graph only, and ctc is missing. Give both, or leave out ctcFast.',
      { option: 'ctcFast', received: options.ctcFast, required: 'ctc' },
    );
  }
  const size = configInteger(folder, 'vocab_size', 3, 1_000_000);
  const named = folder.tokenizer.namedTokens(size);
  const students: Partial<Record<(typeof STUDENTS)[number], WeightsFolder>> = {};
  for (const student of STUDENTS) {
    const path = options[student];
    if (path !== undefined) students[student] = await openWeightsFolder(path, signal);
  }
  // A CTC model needs an id for the blank that no output can mean: the padding's.
  const blankId = readPadding(folder, size, named) ?? 0;
  const place = (file: string) => ({ folder: students.ctc?.path ?? '', file });
  const ngrams = students.ctc && (await readSideBytes(students.ctc.path, NGRAMS_FILE));
  // Only checked here; what ends an output is known later.
  if (ngrams !== undefined) readNgrams(ngrams, place(NGRAMS_FILE), { size });
  const listed = students.ctc && (await readSideBytes(students.ctc.path, SHORTLIST_FILE));
  const shortlist = listed && readShortlist(listed, place(SHORTLIST_FILE), size, blankId);
  const imported = await importMarian(folder, {
    weights,
    blankId,
    students,
    shortlist,
    layout: options.stepLayout,
    pace,
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
    tokenizer: textFiles(folder),
    vocabulary: {
      size: shape.vocabularySize,
      endTokenId: tokens.end,
      startTokenId: tokens.start,
      padTokenId: tokens.pad,
      unknownTokenId: named.unknown,
    },
    limits: { sourceLength: shape.maxPositions, targetLength: shape.maxPositions },
    architecture: {
      width: shape.width,
      heads: shape.heads,
      encoderLayers: shape.encoderLayers,
      decoderLayers: shape.decoderLayers,
    },
    graphs: { encoder: 'encoder.onnx', step: imported.step, ...imported.students.graphs },
    step: { maxCandidates: Math.min(STEP_CANDIDATES, shape.vocabularySize) },
    ...imported.students.facts,
    ngrams: ngrams === undefined ? undefined : NGRAMS_FILE,
    shortlist: shortlist === undefined ? undefined : SHORTLIST_FILE,
    training: { ...options.training, weights, notUsed: notes.length === 0 ? undefined : notUsed },
  };
  return { manifest, files };
}
