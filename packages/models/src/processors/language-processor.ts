import { ForetokenError } from '@foretoken/core';
import { checkOptions, type OptionTable, text as readText, tokenList } from '@foretoken/core/kit';
import { isObject } from '../folder/json.js';
import type { ManifestLanguages } from '../folder/languages-schema.js';
import { quote } from '../folder/refusal.js';
import type { TextInLanguages } from './chat.js';
import type { Processor } from './processor.js';
import { type Coding, checkedCoding, textOutput } from './text-processor.js';

const INPUT: OptionTable<TextInLanguages> = { text: readText, sourceLanguage: readText, targetLanguage: readText };

/**
 * Text in, text out, of a model that knows several languages: a token says the source's language, and the first token of the output
 * says what it is to be written in. Throws `INVALID_ARGUMENT` for what is no tokenizer.
 */
export function languageProcessor(
  tokenizer: Coding,
  { tokens, sourcePlace, targetPlace, source, target }: ManifestLanguages,
  endTokenId: number,
): Processor<string | TextInLanguages> {
  const { encode, decode, countUnknown } = checkedCoding(tokenizer);
  const marks = new Set(Object.values(tokens));
  // A language is no text, whatever the tokenizer makes of its token.
  const textOf = (tokenIds: ArrayLike<number>): string =>
    decode(tokenList('tokenIds', Array.from(tokenIds)).filter((tokenId) => !marks.has(tokenId)));
  const tokenOf = (option: 'sourceLanguage' | 'targetLanguage', code: string | undefined): number => {
    if (code !== undefined && Object.hasOwn(tokens, code)) return tokens[code];
    const codes = Object.keys(tokens);
    const shown = `${codes.slice(0, 20).join(', ')}${codes.length > 20 ? ' and others' : ''}`;
    const what =
      code === undefined
        ? `The model needs ${option}, and has none that it takes by itself. Give { text, ${option} }.`
        : `${option} is ${quote(code)}, which this model does not know.`;
    throw new ForetokenError('INVALID_ARGUMENT', `${what} Its languages are ${shown}.`, {
      option,
      received: code,
      required: codes,
    });
  };
  const prefixOf = (code: string | undefined): Int32Array | undefined => {
    if (targetPlace === 'first') return Int32Array.of(tokenOf('targetLanguage', code ?? target));
    if (code === undefined || code === target) return undefined;
    tokenOf('targetLanguage', code);
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `targetLanguage is ${quote(code)}, but this model writes ${target ?? 'one language'} only: its start token says which. Leave targetLanguage out.`,
      { capability: 'targetLanguage', received: code, required: target },
    );
  };
  return {
    ...textOutput({ encode, decode: textOf }),
    input: 'a text, or { text, sourceLanguage, targetLanguage }',
    isInput: (value): value is string | TextInLanguages =>
      typeof value === 'string' || (isObject(value) && typeof value.text === 'string'),
    read: (input) => {
      const given = typeof input === 'string' ? { text: input } : checkOptions('an input', input, INPUT);
      const mark = tokenOf('sourceLanguage', given.sourceLanguage ?? source);
      const outputPrefix = prefixOf(given.targetLanguage);
      const text = encode(given.text, 'part');
      const unknownTokens = countUnknown(text);
      const read = sourcePlace === 'before' ? [mark, ...text, endTokenId] : [...text, endTokenId, mark];
      return { source: Int32Array.from(read), outputPrefix, unknownTokens };
    },
  };
}
