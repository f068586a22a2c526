import { integer, type OptionReader, text as readText, tokenList, tokens, withMethods } from '@foretoken/core/kit';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.js';
import type { Processor } from './processor.js';

/** What of a tokenizer a processor uses. */
export type Coding = Pick<TextTokenizer, 'encode' | 'decode' | 'countUnknown'>;

const readTokenizer: OptionReader<Coding> = withMethods('a tokenizer', 'encode', 'decode', 'countUnknown');
const readSource: OptionReader<Int32Array> = tokens();
const readCount: OptionReader<number> = integer(0);

/** Text in, text out: a text is the source, its tokens the end token last. Throws `INVALID_ARGUMENT` for what is no tokenizer. */
export function textProcessor(tokenizer: Coding): Processor {
  const coding = checkedCoding(tokenizer);
  const { encode, countUnknown } = coding;
  return {
    ...textOutput(coding),
    read: (text) => {
      const source = encode(text);
      return { source, unknownTokens: countUnknown(source) };
    },
  };
}

/** For models that read no source: a text is how the output begins. Throws `INVALID_ARGUMENT` for what is no tokenizer. */
export function textBeginningProcessor(tokenizer: Coding): Processor {
  const coding = checkedCoding(tokenizer);
  const { encode, countUnknown } = coding;
  return {
    ...textOutput(coding),
    read: (text) => {
      // Without the end token, which no output holds.
      const outputPrefix = encode(text).slice(0, -1);
      return { source: new Int32Array(), outputPrefix, unknownTokens: countUnknown(outputPrefix) };
    },
  };
}

/** How tokens are shown as text, and texts are outputs. */
export function textOutput({ encode, decode }: Pick<Coding, 'encode' | 'decode'>): Omit<Processor, 'read'> {
  return {
    input: 'a text',
    isInput: (value) => typeof value === 'string',
    write: (hypothesis) => ({ text: decode(tokenList('hypothesis.tokenIds', hypothesis?.tokenIds)) }),
    textOf: decode,
    readOutput: (text) => encode(text, 'output'),
  };
}

/** A tokenizer whose results are read, so that one that answers with a promise is refused where it does. */
export function checkedCoding(tokenizer: Coding): Coding {
  const { encode, decode, countUnknown } = readTokenizer('tokenizer', tokenizer);
  return {
    encode: (text, ...role) => readSource('What encode returns', encode.call(tokenizer, text, ...role)),
    decode: (tokenIds) => readText('What decode returns', decode.call(tokenizer, tokenIds)),
    countUnknown: (tokenIds) => readCount('What countUnknown returns', countUnknown.call(tokenizer, tokenIds)),
  };
}
