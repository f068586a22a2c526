import type { TextTokenizer } from '../tokenizer/text-tokenizer.js';
import type { Processor } from './processor.js';

type Coding = Pick<TextTokenizer, 'encode' | 'decode' | 'countUnknown'>;

/** Text in, text out: a text is the source, its tokens the end token last. */
export function textProcessor(tokenizer: Coding): Processor {
  return {
    ...textOutput(tokenizer),
    read: (text) => {
      const source = tokenizer.encode(text);
      return { source, unknownTokens: tokenizer.countUnknown(source) };
    },
  };
}

/** For decoder-only models: a text is a prompt, the text of an output is what follows it. `stopTokenIds` end outputs too. */
export function promptProcessor(tokenizer: Coding, stopTokenIds?: readonly number[]): Processor {
  return {
    ...textOutput(tokenizer),
    stopTokenIds,
    read: (text) => {
      const source = tokenizer.encode(text, 'prompt');
      return { source, unknownTokens: tokenizer.countUnknown(source) };
    },
  };
}

/** For models that read no source: a text is how the output begins. */
export function textBeginningProcessor(tokenizer: Coding): Processor {
  return {
    ...textOutput(tokenizer),
    read: (text) => {
      // Without the end token, which no output holds.
      const outputPrefix = tokenizer.encode(text).slice(0, -1);
      return { source: new Int32Array(), outputPrefix, unknownTokens: tokenizer.countUnknown(outputPrefix) };
    },
  };
}

function textOutput(tokenizer: Coding): Omit<Processor, 'read'> {
  const decode = (tokenIds: ArrayLike<number>): string => tokenizer.decode(tokenIds);
  return {
    input: 'a text',
    isInput: (value) => typeof value === 'string',
    write: ({ tokenIds }) => ({ text: decode(tokenIds) }),
    textOf: decode,
  };
}
