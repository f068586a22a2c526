import * as v from 'valibot';
import { isPlainFileName } from './file-names.js';
import { FILE_BYTES, type MarianManifest, type MaskedLanguageModelManifest, type ModelManifest } from './manifest.js';

export const FORMAT = 'foretoken-model';
export const FORMAT_VERSION = 1;

const integer = (least: number, most: number) =>
  v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= least && value <= most,
      `an integer from ${least} to ${most}`,
    ),
  );
// A manifest's words are shown in terminals, which obey control characters.
const words = (most: number) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => text.length <= most && !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll('\n', ' ')),
      `at most ${most} characters without control characters`,
    ),
  );
const fileName = v.pipe(
  v.string(),
  v.check(
    (name) => isPlainFileName(name),
    'a plain relative file name: letters, digits, ".", "_", "-", with "/" between folders',
  ),
);
const tokenId = integer(0, 999_999);
const candidates = integer(1, 1024);

// A manifest is written in the order of its schema.
const heading = {
  format: v.literal(FORMAT),
  formatVersion: v.literal(FORMAT_VERSION),
  name: v.pipe(words(200), v.nonEmpty('a name')),
  description: words(10_000),
  licence: words(1000),
};
const limits = v.strictObject({ sourceLength: integer(1, 65_536), targetLength: integer(1, 65_536) });
const content = {
  files: v.record(
    v.string(),
    v.strictObject({
      bytes: integer(0, FILE_BYTES),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case')),
    }),
  ),
  training: v.exactOptional(v.record(v.string(), v.unknown())),
};
const vocabularySize = integer(2, 1_000_000);
const optionalTokens = { padTokenId: v.exactOptional(tokenId), unknownTokenId: v.exactOptional(tokenId) };
const size = integer(1, 65_536);
const layers = integer(1, 256);
const upsample = integer(1, 64);
const opens = { open: fileName, openDrafts: v.exactOptional(fileName) };
const fill = v.strictObject({
  topK: fileName,
  argmax: v.exactOptional(fileName),
  logProbs: v.exactOptional(fileName),
});

const MARIAN: v.GenericSchema<unknown, MarianManifest> = v.strictObject({
  ...heading,
  family: v.literal('marian'),
  tokenizer: fileName,
  vocabulary: v.strictObject({
    size: vocabularySize,
    endTokenId: tokenId,
    startTokenId: tokenId,
    ...optionalTokens,
  }),
  limits,
  architecture: v.strictObject({ width: size, heads: size, encoderLayers: layers, decoderLayers: layers }),
  graphs: v.strictObject({
    encoder: fileName,
    step: v.strictObject({
      argmax: fileName,
      topK: v.exactOptional(fileName),
      topKWithStates: v.exactOptional(fileName),
      logProbs: v.exactOptional(fileName),
      logits: v.exactOptional(fileName),
    }),
    ctc: v.exactOptional(fileName),
    ctcDraft: v.exactOptional(fileName),
    ctcFast: v.exactOptional(fileName),
    canvas: v.exactOptional(v.strictObject({ ...opens, fill })),
    dag: v.exactOptional(fileName),
    edit: v.exactOptional(v.strictObject({ ...opens, deletions: fileName, placeholders: fileName, fill })),
  }),
  step: v.exactOptional(v.strictObject({ maxCandidates: candidates })),
  ctc: v.exactOptional(v.strictObject({ blankId: tokenId, upsample, maxCandidates: candidates })),
  canvas: v.exactOptional(
    v.strictObject({
      maskTokenId: tokenId,
      layers,
      maxLength: size,
      maxCandidates: candidates,
      lengths: v.exactOptional(v.strictObject({ classes: size, offset: integer(0, 65_536) })),
    }),
  ),
  dag: v.exactOptional(v.strictObject({ startTokenId: tokenId, upsample, maxCandidates: candidates })),
  edit: v.exactOptional(
    v.strictObject({
      placeholderTokenId: tokenId,
      startTokenId: tokenId,
      layers,
      // The boundary tokens alone take two.
      maxLength: integer(2, 65_536),
      maxCandidates: candidates,
    }),
  ),
  ngrams: v.exactOptional(fileName),
  shortlist: v.exactOptional(fileName),
  ...content,
});

const MASKED_LANGUAGE_MODEL: v.GenericSchema<unknown, MaskedLanguageModelManifest> = v.strictObject({
  ...heading,
  family: v.literal('masked-lm'),
  tokenizer: fileName,
  vocabulary: v.strictObject({ size: vocabularySize, endTokenId: tokenId, ...optionalTokens }),
  limits,
  architecture: v.strictObject({ width: size, heads: size, layers }),
  graphs: v.strictObject({ fill }),
  canvas: v.strictObject({ maskTokenId: tokenId, maxCandidates: candidates }),
  ...content,
});

/** The shape of a manifest, by family. */
export const SCHEMAS: Readonly<Record<ModelManifest['family'], v.GenericSchema<unknown, ModelManifest>>> = {
  marian: MARIAN,
  'masked-lm': MASKED_LANGUAGE_MODEL,
};
