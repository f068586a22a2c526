import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { NGRAMS_FILE, readNgrams } from './families/ngrams.js';
import type { ModelManifest } from './folder/manifest.js';
import { writeModelFolder } from './folder/write-folder.js';
import { importMarian, stepFiles } from './importers/import-marian.js';
import { openWeightsFolder } from './weights/weights-folder.js';

export interface ImportOptions {
  /** Name in the manifest; default: the weights folder's own. */
  readonly name?: string;
  readonly description?: string;
  /** Licence of the weights, in words or as an SPDX expression. */
  readonly licence?: string;
  /** How weights are stored (default float16, half the size); computing is float32 either way. */
  readonly weights?: 'float32' | 'float16';
  /** Weights folder of a CTC student trained on this model's encoder, with an n-gram model beside it or not. */
  readonly ctc?: string;
  /** Free facts about the training, kept in the manifest. */
  readonly training?: Readonly<Record<string, unknown>>;
  /** Replace an existing target folder (default: refuse). */
  readonly replace?: boolean;
}

/** Most candidates the top-k head of an imported model returns for each node. */
const STEP_CANDIDATES = 64;
/** Most candidates a frame of an imported CTC lattice holds. */
const CTC_CANDIDATES = 16;

/**
 * Imports a weights folder (config.json, model.safetensors, tokenizer.json) as a Foretoken model folder at `target`.
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
  const folder = await openWeightsFolder(weightsFolder);
  const student = options.ctc === undefined ? undefined : await openWeightsFolder(options.ctc);
  const ngrams = options.ctc === undefined ? undefined : await optionalFile(join(options.ctc, NGRAMS_FILE));
  const unknownTokenId = unknownToken(folder.tokenizerJson);
  const padTokenId = padToken(folder.tokenizerJson);
  // A CTC model needs an id for the blank that no output can mean: the padding's.
  const blankId = padTokenId ?? 0;
  const imported = importMarian(folder, { weights, blankId, ...(student === undefined ? {} : { ctc: student }) });
  const { shape, tokens, ctc } = imported;
  if (ngrams !== undefined) {
    await readNgrams(join(options.ctc as string, NGRAMS_FILE), shape.vocabularySize);
    imported.files.set(NGRAMS_FILE, ngrams);
  }
  return writeModelFolder(
    target,
    {
      format: 'foretoken-model',
      formatVersion: 1,
      name: options.name ?? basename(resolve(weightsFolder)),
      description: options.description ?? '',
      licence: options.licence ?? 'unknown',
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
      graphs: {
        encoder: 'encoder.onnx',
        step: { ...stepFiles() },
        ...(ctc === undefined ? {} : { ctc: 'ctc.onnx', ctcDraft: 'ctc-draft.onnx' }),
      },
      step: { maxCandidates: Math.min(STEP_CANDIDATES, shape.vocabularySize) },
      ...(ctc === undefined ? {} : { ctc: { blankId, upsample: ctc.upsample, maxCandidates: CTC_CANDIDATES } }),
      ...(ngrams === undefined ? {} : { ngrams: NGRAMS_FILE }),
      training: { ...options.training, weights },
    },
    imported.files,
    { replace: options.replace ?? false },
  );
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
