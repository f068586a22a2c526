import * as v from 'valibot';
import { isPlainFileName } from './file-names.js';
import {
  type BodyGraphFiles,
  FILE_BYTES,
  type FileRecord,
  type FillGraphFiles,
  type TokenizerNames,
} from './manifest.js';

/** Building blocks of the manifests' schemas; a family composes its own of them. */
export const FORMAT = 'foretoken-model';
export const FORMAT_VERSION = 1;

export const integer = (min: number, max: number): v.GenericSchema<number> =>
  v.pipe(
    v.number(),
    v.check((value) => Number.isInteger(value) && value >= min && value <= max, `an integer from ${min} to ${max}`),
  );
// A manifest's words are shown in terminals, which obey control characters.
const words = (max: number): v.GenericSchema<string> =>
  v.pipe(
    v.string(),
    v.check(
      (text) => text.length <= max && !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll('\n', ' ')),
      `at most ${max} characters without control characters`,
    ),
  );
export const fileName: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(
    (name) => isPlainFileName(name),
    'a plain relative file name: letters, digits, ".", "_", "-", with "/" between folders',
  ),
);
/** A tokenizer.json, or SentencePiece models with the token ids of their pieces. */
export const tokenizer: v.GenericSchema<TokenizerNames> = v.union(
  [
    fileName,
    v.strictObject({
      source: fileName,
      target: fileName,
      vocabulary: fileName,
      targetVocabulary: v.exactOptional(fileName),
    }),
    v.strictObject({ symbols: fileName }),
  ],
  'a file name, { source, target, vocabulary, targetVocabulary } of file names, or { symbols }',
);
export const tokenId: v.GenericSchema<number> = integer(0, 999_999);
export const candidates: v.GenericSchema<number> = integer(1, 1024);

type Optional<Value> = v.ExactOptionalSchema<v.GenericSchema<Value>, undefined>;

/** A field that may be left out. */
export function optional<Value>(schema: v.GenericSchema<unknown, Value>): Optional<Value> {
  return v.exactOptional(schema as v.GenericSchema<Value>);
}

// A manifest is written in the order of its schema.
/** Its first fields. */
export const heading: {
  readonly format: v.GenericSchema<'foretoken-model'>;
  readonly formatVersion: v.GenericSchema<1>;
  readonly name: v.GenericSchema<string>;
  readonly description: v.GenericSchema<string>;
  readonly licence: v.GenericSchema<string>;
} = {
  format: v.literal(FORMAT),
  formatVersion: v.literal(FORMAT_VERSION),
  name: v.pipe(words(200), v.nonEmpty('a name')),
  description: words(10_000),
  licence: words(1000),
};
export const limits: v.GenericSchema<{ sourceLength: number; targetLength: number }> = v.strictObject({
  sourceLength: integer(1, 65_536),
  targetLength: integer(1, 65_536),
});
/** Its last fields. */
export const content: {
  readonly files: v.GenericSchema<Record<string, FileRecord>>;
  readonly training: Optional<Record<string, unknown>>;
} = {
  files: v.record(
    v.string(),
    v.strictObject({
      bytes: integer(0, FILE_BYTES),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case')),
    }),
  ),
  training: optional(v.record(v.string(), v.unknown())),
};
export const vocabularySize: v.GenericSchema<number> = integer(2, 1_000_000);
export const optionalTokens: { readonly padTokenId: Optional<number>; readonly unknownTokenId: Optional<number> } = {
  padTokenId: optional(tokenId),
  unknownTokenId: optional(tokenId),
};
export const bodyGraphs: v.GenericSchema<unknown, BodyGraphFiles> = v.strictObject({
  body: fileName,
  vocabulary: fileName,
});
export const size: v.GenericSchema<number> = integer(1, 65_536);
export const layers: v.GenericSchema<number> = integer(1, 256);
export const fill: v.GenericSchema<FillGraphFiles> = v.strictObject({
  topK: fileName,
  argmax: v.exactOptional(fileName),
  logProbs: v.exactOptional(fileName),
});
