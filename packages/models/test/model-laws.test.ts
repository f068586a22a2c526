import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelKind } from '@foretoken/core/kit';
import {
  canvasModelConformance,
  editModelConformance,
  latticeModelConformance,
  tokenForestConformance,
} from '@foretoken/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { causalFolder } from './causal-fixtures.js';

import { encoderDecoderFolder } from './encoder-decoder-fixtures.js';

import { fillMaskFolder } from './fill-mask-fixtures.js';

import { temporaryFolder } from './folder-fixtures.js';
import { marianBinFolder, marianShortlistFolder } from './marian-bin-fixtures.js';
import { hintsFolder, imported, SOURCES, studentsFolder, weightsOf } from './student-fixtures.js';
import { writeTinyMarian } from './tiny-marian.js';

const runner = { describe, it };
const shipped = (name: string): string => fileURLToPath(new URL(`../../${name}/model`, import.meta.url));

interface Tested {
  readonly folder: string | Promise<string>;
  /** Models of each kind that the folder must have, so that none is left out. */
  readonly models: Readonly<Record<string, number>>;
  /** Token ids, or what else its family reads. */
  readonly sources: readonly unknown[];
  /** Largest difference of a score that is computed beside others, in fp32. */
  readonly tolerance: number;
  readonly scripts: number;
}

const SENTENCES = [
  [12, 40, 7, 2],
  [9, 2],
  [31, 5, 60, 14, 8, 2],
].map((ids) => Int32Array.from(ids));

const PROMPTS = [
  [39, 12, 30, 7],
  [39, 9],
  [39, 31, 5, 17, 14, 8],
].map((ids) => Int32Array.from(ids));

const MARIAN_SOURCES = [
  [6, 7, 18, 15, 0],
  [9, 0],
  [31, 5, 17, 14, 8, 0],
].map((ids) => Int32Array.from(ids));

const WHISPER = fileURLToPath(new URL('../../importers/test/goldens/whisper/transformers', import.meta.url));

/** Without tokens that are never said: their scores are so low that fp32 is coarse there. */
async function whisperFolder(): Promise<string> {
  const weights = await temporaryFolder();
  for (const file of ['config.json', 'model.safetensors', 'tokenizer.json']) {
    await copyFile(join(WHISPER, file), join(weights, file));
  }
  return imported(weights);
}

/** Spectra of the golden Whisper model, 8 bands and 48 frames. */
const SPECTRA = [1, 2, 3].map((seed) => ({
  values: Float32Array.from({ length: 8 * 48 }, (_, at) => 2 * Math.sin(seed * (at + 1) * (1 + (at % 48)))),
  dims: [8, 48],
  language: ['en', 'de', undefined][seed - 1],
}));

/** Folders of every family: what is shipped, and what is imported of small weights. */
const FOLDERS: Readonly<Record<string, Tested>> = {
  'model-multi30k-en-de': {
    folder: shipped('model-multi30k-en-de'),
    models: { autoregressive: 1, lattice: 4, canvas: 1, edit: 1 },
    sources: SENTENCES,
    tolerance: 1e-4,
    scripts: 1,
  },
  'model-tinyshakespeare': {
    folder: shipped('model-tinyshakespeare'),
    models: { canvas: 1 },
    sources: SENTENCES,
    tolerance: 1e-4,
    scripts: 1,
  },
  'a small folder with all students': {
    folder: studentsFolder(),
    models: { autoregressive: 1, lattice: 1, canvas: 1, edit: 1 },
    sources: SOURCES,
    tolerance: 1e-5,
    scripts: 2,
  },
  'a small folder whose students read more than the source': {
    folder: hintsFolder(),
    models: { autoregressive: 1, lattice: 4, canvas: 1, edit: 1 },
    sources: SOURCES,
    tolerance: 1e-5,
    scripts: 1,
  },
  'a small masked language model': {
    folder: weightsOf('masked-lm').then((weights) => imported(weights)),
    models: { canvas: 1 },
    sources: SOURCES,
    tolerance: 1e-5,
    scripts: 1,
  },
  'a small model that fills the masks of texts': {
    folder: fillMaskFolder('roberta'),
    models: { canvas: 1 },
    sources: [
      [0, 55, 270, 224, 2],
      [0, 270, 40, 41, 42, 270, 2],
      [0, 9, 30, 31, 32, 33, 34, 35, 36, 270, 2],
    ].map((ids) => Int32Array.from(ids)),
    tolerance: 1e-4,
    scripts: 1,
  },
  'a small encoder-decoder in 8 bits': {
    folder: writeTinyMarian().then((weights) => imported(weights, { weights: 'int8' })),
    models: { autoregressive: 1 },
    sources: SOURCES,
    tolerance: 1e-4,
    scripts: 1,
  },
  'a small decoder-only model in 4 bits': {
    folder: causalFolder('llama', { weights: 'int4' }),
    models: { autoregressive: 1 },
    sources: PROMPTS,
    tolerance: 1e-4,
    scripts: 2,
  },
  'a small encoder-decoder with two vocabularies': {
    folder: encoderDecoderFolder('marian-separate'),
    models: { autoregressive: 1 },
    sources: SOURCES,
    tolerance: 1e-4,
    scripts: 2,
  },
  'a small encoder-decoder with learned positions': {
    folder: encoderDecoderFolder('bart'),
    models: { autoregressive: 1 },
    sources: SOURCES,
    tolerance: 1e-4,
    scripts: 2,
  },
  'a small encoder-decoder that attends by distance': {
    folder: encoderDecoderFolder('t5'),
    models: { autoregressive: 1 },
    sources: SOURCES,
    tolerance: 1e-4,
    scripts: 2,
  },
  'a small encoder-decoder that attends by distance, in 8 bits': {
    folder: encoderDecoderFolder('mt5', { weights: 'int8' }),
    models: { autoregressive: 1 },
    sources: SOURCES,
    tolerance: 1e-4,
    scripts: 1,
  },
  'a small encoder-decoder with a recurrent decoder': {
    folder: marianBinFolder('tied'),
    models: { autoregressive: 1 },
    sources: MARIAN_SOURCES,
    // Two tokens are never said: their scores are so low that fp32 is coarse there.
    tolerance: 4e-3,
    scripts: 2,
  },
  'a small encoder-decoder with a recurrent decoder, in 8 bits': {
    folder: marianBinFolder('firefox', { weights: 'int8' }),
    models: { autoregressive: 1 },
    sources: MARIAN_SOURCES,
    // Two tokens are never said: their scores are so low that fp32 is coarse there.
    tolerance: 4e-3,
    scripts: 1,
  },
  'a small encoder-decoder whose sources say which tokens outputs may have': {
    folder: marianShortlistFolder('tied'),
    models: { autoregressive: 1 },
    sources: MARIAN_SOURCES,
    // Two tokens are never said: their scores are so low that fp32 is coarse there.
    tolerance: 4e-3,
    scripts: 2,
  },
  'a small Whisper model': {
    folder: whisperFolder(),
    models: { autoregressive: 1 },
    sources: SPECTRA,
    tolerance: 1e-4,
    scripts: 2,
  },
  'a small decoder-only model': {
    folder: causalFolder('llama'),
    models: { autoregressive: 1 },
    sources: PROMPTS,
    tolerance: 1e-4,
    scripts: 2,
  },
};

/** Every part of a loaded folder, with its name in words. */
function modelsOf(loaded: LoadedModel): [model: unknown, path: string][] {
  return loaded.description.parts.map(({ kind, ...which }) => [
    loaded.part(kind, which as never),
    [kind, ...Object.values(which)].join(' '),
  ]);
}

for (const [name, { folder, models, sources, tolerance, scripts }] of Object.entries(FOLDERS)) {
  const loaded = await loadModel(await folder, { probe: false });
  const found = modelsOf(loaded);
  const kinds = found.map(([model]) => modelKind(model));

  describe(name, () => {
    afterAll(() => loaded[Symbol.asyncDispose]());

    it('has the models that are expected of it', () => {
      for (const [kind, count] of Object.entries(models)) {
        expect(kinds.filter((one) => one === kind).length, kind).toBe(count);
      }
    });

    for (const [model, path] of found) {
      const options = { runner, name: path, sources: sources as never, tolerance };
      const createModel = () => model as never;
      const kind = modelKind(model);
      if (kind === 'autoregressive') tokenForestConformance({ ...options, createModel, scripts });
      // The 8-bit graphs are quick and approximate: of them, a source's scores may depend on what is beside it.
      const batchDependent = /draft|fast/i.test(path);
      if (kind === 'lattice') latticeModelConformance({ ...options, createModel, batchDependent });
      if (kind === 'canvas') canvasModelConformance({ ...options, createModel });
      if (kind === 'edit') editModelConformance({ ...options, createModel });
    }
  });
}
