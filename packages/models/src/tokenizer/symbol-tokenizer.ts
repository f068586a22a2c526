import { ForetokenError, type Vocabulary } from '@foretoken/core';
import { invalidFolder, quote } from '../folder/refusal.js';
import { readTokens } from './read-tokens.js';
import { assertSourceText, assertSourceTokens, emptySource } from './source-text.js';
import { readSymbols } from './symbols.js';
import type { TextTokenizer } from './text-tokenizer.js';
import { textUse } from './text-use.js';

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
  const { unknownTokenId, startTokenId, endTokenId } = listed;
  if (target.length !== vocabulary.size) {
    throw invalidFolder(
      `${file} lists ${target.length} symbols of outputs, but the model has ${vocabulary.size}. Make the model again.`,
      { file, field: 'target', received: target.length, required: vocabulary.size },
    );
  }
  const readId = idsOf(source);
  const writtenId = source === target ? readId : idsOf(target);
  return {
    encode: (text, use = 'source') => {
      assertSourceText(text, sourceLength);
      textUse('use', use);
      const idOf = use === 'output' ? writtenId : readId;
      // Without source symbols outputs are written as sources are read.
      const lower = lowercase && (use !== 'output' || source === target);
      const read = lower ? text.toLowerCase() : text;
      const parts = separator === '' ? [...read] : read.split(separator).filter((part) => part !== '');
      const ids = parts.map((part) => {
        const known =
          idOf.get(part) ?? (part === ' ' && space !== undefined ? idOf.get(space) : undefined) ?? unknownTokenId;
        if (known !== undefined) return known;
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `The model has no symbol ${quote(part)}, and none for what it does not know. Leave it out of the text.`,
          { option: 'text', received: part },
        );
      });
      if (ids.length === 0) throw emptySource(text);
      if (use === 'output') return Int32Array.from(ids);
      const whole = [
        use === 'part' ? undefined : startTokenId,
        ...ids,
        use === 'source' ? endTokenId : undefined,
      ].filter((one) => one !== undefined);
      assertSourceTokens(whole.length, sourceLength);
      return Int32Array.from(whole);
    },
    ...readTokens({
      size: vocabulary.size,
      hidden: new Set([...hidden, vocabulary.endTokenId, vocabulary.padTokenId]),
      unknownTokenId,
      spelling: (tokenId) => target[tokenId],
      join: (shown) => {
        const texts = shown.map((tokenId) => (target[tokenId] === space ? ' ' : target[tokenId]));
        const text = texts.join(joiner);
        // Spaces alone: other blanks are symbols.
        return space === undefined ? text : text.replace(/^ +/, '').replace(/(?<! ) +$/, '');
      },
    }),
  };
}

/** The place of each symbol, the first of those that occur twice. */
function idsOf(symbols: readonly string[]): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const [at, text] of symbols.entries()) if (!ids.has(text)) ids.set(text, at);
  return ids;
}
