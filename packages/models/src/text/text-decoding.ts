import {
  collect,
  type DecodeEvent,
  type DecodeRequest,
  type DecodeStatistics,
  ForetokenError,
  type Hypothesis,
  type TokenSource,
} from '@foretoken/core';
import {
  callback,
  checkOptions,
  immediate,
  integer,
  listOf,
  type OptionTable,
  signal as readSignal,
  text as readText,
} from '@foretoken/core/kit';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.js';
import { bindDecoder, type ModelParts, type TextDecoder } from './choose-part.js';
import { TextDeltas } from './text-deltas.js';

/** What to decode a text with, beside the decoder. */
export interface TextOptions {
  /** Most output tokens; default: what the model can hold. */
  readonly maxNewTokens?: number | undefined;
  /** Strings that end an output as soon as its text contains one. */
  readonly stopStrings?: readonly string[] | undefined;
  /** Seed of random choices; default 0. */
  readonly seed?: number | undefined;
  /** Stops the decode; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of every event of the decode. */
  readonly onEvent?: ((event: DecodeEvent) => void) | undefined;
}

const OPTIONS: OptionTable<TextOptions> = {
  maxNewTokens: integer(1),
  stopStrings: listOf(readText),
  seed: integer(0, 0xffffffff),
  signal: readSignal,
  onEvent: callback(immediate),
};

/** A text to its result, a list of texts to theirs. */
interface DecodeText {
  (text: string, decoder: TextDecoder, options?: TextOptions): Promise<TextResult>;
  (texts: readonly string[], decoder: TextDecoder, options?: TextOptions): Promise<readonly TextResult[]>;
}

/** A hypothesis with its text. */
export interface TextHypothesis extends Hypothesis {
  readonly text: string;
}

/** What came out for one text. */
export interface TextResult extends TextHypothesis {
  /** All hypotheses, best first; the first is this result. */
  readonly hypotheses: readonly TextHypothesis[];
  /** Tokens of the text that was given; some of them may stand for text that the model does not know. */
  readonly source: TokenSource;
  /** How many of `source` stand for text that the model does not know. */
  readonly unknownTokens: number;
  /** Of the whole decode. */
  readonly statistics: DecodeStatistics;
}

/** A model's parts with its tokenizer: text in, text out. */
export class TextDecoding {
  readonly #parts: ModelParts;
  readonly #tokenizer: TextTokenizer;

  constructor(parts: ModelParts, tokenizer: TextTokenizer) {
    this.#parts = parts;
    this.#tokenizer = tokenizer;
  }

  /** See `LoadedModel.decode`. */
  readonly decode = (async (input: string | readonly string[], decoder: TextDecoder, options: TextOptions = {}) => {
    const results = await this.#decode(textsOf(input), decoder, options);
    return Array.isArray(input) ? results : results[0];
  }) as DecodeText;

  async #decode(texts: readonly string[], decoder: TextDecoder, options: TextOptions): Promise<TextResult[]> {
    const bound = bindDecoder(this.#parts, decoder);
    const request = this.#request(texts, options);
    const { results, statistics } = await collect(watched(bound.decode(request), options.onEvent));
    return results.map(({ row, hypotheses }) => {
      const all = hypotheses.map((hypothesis) => ({
        ...hypothesis,
        text: this.#tokenizer.decode(hypothesis.tokenIds),
      }));
      const [best] = all;
      const source = request.sources[row];
      if (best === undefined || source === undefined) {
        throw new ForetokenError('RUNTIME_FAILURE', `${decoder.name} gave no hypothesis for row ${row}.`, { row });
      }
      return { ...best, hypotheses: all, source, unknownTokens: this.#tokenizer.countUnknown(source), statistics };
    });
  }

  /** See `LoadedModel.stream`. */
  readonly stream = (text: string, decoder: TextDecoder, options: TextOptions = {}): AsyncIterable<string> =>
    this.#stream(text, decoder, options);

  async *#stream(text: string, decoder: TextDecoder, options: TextOptions): AsyncGenerator<string, void, undefined> {
    const deltas = new TextDeltas((tokenIds) => this.#tokenizer.decode(tokenIds));
    const bound = bindDecoder(this.#parts, decoder);
    const events = bound.decode(this.#request([readText('text', text)], options));
    for await (const event of watched(events, options.onEvent)) {
      if (event.type !== 'token-commit') continue;
      const delta = deltas.push(event.tokenIds);
      if (delta !== '') yield delta;
    }
    const rest = deltas.end();
    if (rest !== '') yield rest;
  }

  #request(texts: readonly string[], given: TextOptions): DecodeRequest<TokenSource> {
    const options = checkOptions('decode of a text', given, OPTIONS);
    const { maxNewTokens, stopStrings, seed, signal } = options;
    signal?.throwIfAborted();
    const tokenizer = this.#tokenizer;
    return {
      sources: texts.map((text) => tokenizer.encode(text)),
      ...(maxNewTokens === undefined ? {} : { maxNewTokens }),
      ...(stopStrings === undefined
        ? {}
        : { stopStrings: { strings: stopStrings, textOf: (tokenIds: Int32Array) => tokenizer.decode(tokenIds) } }),
      ...(seed === undefined ? {} : { seed }),
      ...(signal === undefined ? {} : { signal }),
    };
  }
}

async function* watched(
  events: AsyncIterable<DecodeEvent>,
  onEvent: TextOptions['onEvent'],
): AsyncGenerator<DecodeEvent, void, undefined> {
  for await (const event of events) {
    onEvent?.(event);
    yield event;
  }
}

/** The texts to decode. Throws `INVALID_ARGUMENT` for anything but a string or a list of strings. */
function textsOf(input: string | readonly string[]): readonly string[] {
  return typeof input === 'string' ? [input] : listOf(readText)('texts', input);
}
