import { ForetokenError, type Vocabulary } from '@foretoken/core';
import * as v from 'valibot';
import { parseJson } from '../folder/json.js';
import { integer } from '../folder/manifest-schema.js';
import { invalidFolder, quote } from '../folder/refusal.js';
import { readTokens } from './read-tokens.js';
import { assertSourceText, assertSourceTokens, emptySource } from './source-text.js';
import type { TextTokenizer } from './text-tokenizer.js';

/** Content of a symbols file: a list of symbols for each side, whose places are their ids. */
export interface Symbols {
  /** Of outputs. */
  readonly target: readonly string[];
  /** Of sources; default: those of outputs. */
  readonly source?: readonly string[] | undefined;
  /** Between the symbols of a source text; default: each character is a symbol. */
  readonly separator?: string | undefined;
  /** Between the symbols of an output text; default nothing. */
  readonly joiner?: string | undefined;
  /** The output symbol that reads as a space, such as `|`. */
  readonly space?: string | undefined;
  /** Output ids that no text shows. */
  readonly hidden?: readonly number[] | undefined;
  /** Source texts are read in lower case. */
  readonly lowercase?: boolean | undefined;
  /** Source ids: of what the list does not have (without it that is refused), and what is put around a source. */
  readonly unknownId?: number | undefined;
  readonly startId?: number | undefined;
  readonly endId?: number | undefined;
}

const MAX_SYMBOLS = 1_000_000;
const symbol = v.pipe(v.string(), v.maxLength(200, 'at most 200 characters'));
const symbols = v.pipe(v.array(symbol), v.minLength(1, 'at least one symbol'), v.maxLength(MAX_SYMBOLS));
const id = integer(0, MAX_SYMBOLS - 1);
const SCHEMA: v.GenericSchema<unknown, Symbols> = v.strictObject({
  target: symbols,
  source: v.exactOptional(symbols),
  separator: v.exactOptional(symbol),
  joiner: v.exactOptional(symbol),
  space: v.exactOptional(symbol),
  hidden: v.exactOptional(v.array(id)),
  lowercase: v.exactOptional(v.boolean()),
  unknownId: v.exactOptional(id),
  startId: v.exactOptional(id),
  endId: v.exactOptional(id),
});

/** Reads a symbols file. Throws `INVALID_MODEL_FOLDER`. */
export function readSymbols(json: string, file: string): Symbols {
  const result = v.safeParse(SCHEMA, parseJson(json, file), { abortEarly: true });
  if (!result.success) {
    const [{ path = [], message, input }] = result.issues;
    const field = path.map(({ key }) => String(key)).join('.') || 'the whole file';
    throw invalidFolder(`${file}: ${field} is ${quote(input)}: ${message}. Make the model again.`, { file, field });
  }
  const found = result.output;
  const { target, source = target, hidden = [], unknownId, startId, endId } = found;
  const inside = (field: string, ids: readonly (number | undefined)[], size: number): void => {
    const wrong = ids.find((one) => one !== undefined && one >= size);
    if (wrong === undefined) return;
    throw invalidFolder(`${file}: ${field} has ${wrong}, but ids below ${size} are required. Make the model again.`, {
      file,
      field,
      received: wrong,
      required: size,
    });
  };
  inside('hidden', hidden, target.length);
  inside('unknownId, startId or endId', [unknownId, startId, endId], source.length);
  return found;
}

/**
 * A tokenizer of listed symbols, such as characters or phonemes; sources may have symbols of their own. Throws
 * `INVALID_MODEL_FOLDER` where the list does not have the vocabulary's size.
 */
export function createSymbolTokenizer(
  json: string,
  { vocabulary, sourceLength, file }: { vocabulary: Vocabulary; sourceLength: number; file: string },
): TextTokenizer {
  const listed = readSymbols(json, file);
  const { target, source = target, separator = '', joiner = '', space, hidden = [], lowercase = false } = listed;
  const { unknownId, startId, endId } = listed;
  if (target.length !== vocabulary.size) {
    throw invalidFolder(
      `${file} lists ${target.length} symbols of outputs, but the model has ${vocabulary.size}. Make the model again.`,
      { file, field: 'target', received: target.length, required: vocabulary.size },
    );
  }
  const idOf = new Map<string, number>();
  for (const [at, text] of source.entries()) if (!idOf.has(text)) idOf.set(text, at);
  return {
    encode: (text) => {
      assertSourceText(text, sourceLength);
      const read = lowercase ? text.toLowerCase() : text;
      const parts = separator === '' ? [...read] : read.split(separator).filter((part) => part !== '');
      const ids = parts.map((part) => {
        const known =
          idOf.get(part) ?? (part === ' ' && space !== undefined ? idOf.get(space) : undefined) ?? unknownId;
        if (known !== undefined) return known;
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `The model has no symbol ${quote(part)}, and none for what it does not know. Leave it out of the text.`,
          { option: 'text', received: part },
        );
      });
      if (ids.length === 0) throw emptySource(text);
      const whole = [startId, ...ids, endId].filter((one) => one !== undefined);
      assertSourceTokens(whole.length, sourceLength);
      return Int32Array.from(whole);
    },
    ...readTokens({
      size: vocabulary.size,
      hidden: new Set([...hidden, vocabulary.endTokenId, vocabulary.padTokenId]),
      unknownTokenId: unknownId,
      spelling: (tokenId) => target[tokenId],
      join: (shown) => {
        const texts = shown.map((tokenId) => (target[tokenId] === space ? ' ' : target[tokenId]));
        const text = texts.join(joiner);
        return space === undefined ? text : text.trim();
      },
    }),
  };
}
