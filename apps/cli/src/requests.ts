import type { DecodeRequest, TokenSource } from '@foretoken/core';
import { ForetokenError } from '@foretoken/core';
import type { LoadedModel, TextInput, TextTokenizer } from '@foretoken/models';
import { onLine } from './errors.js';
import { readLines } from './lines.js';
import { openText, readChunks } from './text-files.js';

/** Token ids of a text that an output holds, so without the end token. Throws as the tokenizer does. */
export function outputTokens(tokenizer: TextTokenizer, text: string): Int32Array {
  return tokenizer.encode(text, 'output');
}

/** What an input means to a model: its source, or how the output begins; and how many of its tokens are unknown. */
export async function requestFor(
  { processor }: LoadedModel,
  input: TextInput,
): Promise<{
  readonly request: Pick<DecodeRequest<TokenSource>, 'sources' | 'outputPrefixes'>;
  readonly unknownTokens: number;
}> {
  if (!processor.isInput(input)) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `This model takes ${processor.input}. Leave out --chat, --source-language and --target-language where it is not made for them.`,
      {
        capability: typeof input === 'string' ? 'text' : 'text' in input ? 'languages' : 'chat',
        required: processor.input,
      },
    );
  }
  const { source, outputPrefix, unknownTokens = 0 } = await processor.read(input);
  return { request: { sources: [source], outputPrefixes: outputPrefix && [outputPrefix] }, unknownTokens };
}

/** Outputs to start from, for each line of the input; an empty line starts from nothing. */
export class InitialTexts {
  readonly #texts: readonly string[];

  private constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /** Reads a file of one text a line. Throws `INVALID_ARGUMENT`, `SOURCE_TOO_LONG` for an endless line. */
  static async read(path: string, signal: AbortSignal): Promise<InitialTexts> {
    const chunks = readChunks(await openText('initial-outputs', path, signal), 'initial-outputs', path, signal);
    const texts: string[] = [];
    // An empty line is fine here; of what a line can be wrong about only its length remains.
    for await (const { number, text, error } of readLines(chunks)) {
      if (error !== undefined && error.code !== 'EMPTY_SOURCE') throw onLine(error, number);
      texts.push(text);
    }
    return new InitialTexts(texts);
  }

  /** Tokens for a line that counts from 1. Throws `INVALID_ARGUMENT` where the file ends before it. */
  tokensFor(line: number, tokenizer: TextTokenizer): Int32Array {
    const text = this.#texts[line - 1];
    if (text === undefined) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `--initial-outputs has ${this.#texts.length} lines, but the input has a line ${line}; one each is required.`,
        { option: 'initial-outputs', received: this.#texts.length, line },
      );
    }
    return text.trim() === '' ? new Int32Array() : outputTokens(tokenizer, text);
  }
}
