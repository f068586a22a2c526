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
  assertAccepted,
  byRow,
  callback,
  checkOptions,
  flag,
  immediate,
  integer,
  isInt32Array,
  listOf,
  type OptionReader,
  type OptionTable,
  signal as readSignal,
  text as readText,
  tokens,
  withMethods,
  wrongValue,
} from '@foretoken/core/kit';
import { isObject } from '../folder/json.js';
import { loadCode } from '../load-code.js';
import { type BoundDecode, bindDecoder, type PartDecoder } from '../parts/bind-decoder.js';
import type { PartVariant } from '../parts/model-part.js';
import { ModelParts } from '../parts/model-parts.js';
import type { Processor, SourceReading, TextOutput } from './processor.js';

/** What to decode an input with, beside the decoder. */
export interface InputOptions {
  /** Which variant of the part that the decoder asks for; default `exact`. */
  readonly variant?: PartVariant | undefined;
  /** Most output tokens, one number for all or a list of one an input; default: what the model can hold. */
  readonly maxNewTokens?: number | readonly number[] | undefined;
  /** Least output tokens, in the same way; default 0. Refused by strategies that do not write from left to right. */
  readonly minNewTokens?: number | readonly number[] | undefined;
  /**
   * Outputs to start from, one an input, in a list: texts, or token ids without an end token; an empty one starts from nothing.
   * Refused by strategies that start from nothing.
   */
  readonly initialOutputs?: readonly (string | Int32Array)[] | undefined;
  /** Positions of each input's canvas or path, one number for all or a list of one an input. Refused by strategies without such. */
  readonly lengths?: number | readonly number[] | undefined;
  /** Strings that end an output as soon as its text contains one. */
  readonly stopStrings?: readonly string[] | undefined;
  /** Seed of random choices; default 0. */
  readonly seed?: number | undefined;
  /** Stops the decode; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of every event of the decode. */
  readonly onEvent?: ((event: DecodeEvent) => void) | undefined;
}

const readTokens = tokens();
const readInitial: OptionReader<string | Int32Array> = (name, value) => {
  if (typeof value === 'string') return value;
  if (isInt32Array(value)) return readTokens(name, value);
  throw wrongValue(name, value, 'a text, or an Int32Array of token ids');
};

const OPTIONS: OptionTable<InputOptions> = {
  variant: readText,
  maxNewTokens: byRow(integer(1)),
  minNewTokens: byRow(integer(0)),
  initialOutputs: listOf(readInitial),
  lengths: byRow(integer(1)),
  stopStrings: listOf(readText),
  seed: integer(0, 0xffffffff),
  signal: readSignal,
  onEvent: callback(immediate),
};

/** Reads a processor, of whatever inputs. */
export const readProcessor: OptionReader<object> = withMethods('a processor', 'isInput', 'read', 'write');

/** A hypothesis, and what it says: of a text model, its `text`. */
export type InputHypothesis<Output extends object = TextOutput> = Hypothesis & Output;

/** What came out for one input. */
export type InputResult<Output extends object = TextOutput, Source = TokenSource> = InputHypothesis<Output> & {
  /** All hypotheses, best first; the first is this result. */
  readonly hypotheses: readonly InputHypothesis<Output>[];
  /** What the model read of the input. */
  readonly source: Source;
  /** How many tokens of the input stand for something that the model does not know. */
  readonly unknownTokens: number;
  /** Of the whole decode. */
  readonly statistics: DecodeStatistics;
};

/** An input to its result, a list of inputs to theirs. */
interface DecodeInput<Input, Output extends object, Source> {
  (input: Input, decoder: PartDecoder<Source>, options?: InputOptions): Promise<InputResult<Output, Source>>;
  (
    inputs: readonly Input[],
    decoder: PartDecoder<Source>,
    options?: InputOptions,
  ): Promise<readonly InputResult<Output, Source>[]>;
}

/** A model's parts with a processor: what users give in, what they want out. */
export class InputDecoding<Input = string, Output extends object = TextOutput, Source = TokenSource> {
  readonly #parts: ModelParts<Source>;
  readonly #processor: Processor<Input, Output, Source>;

  /** Throws `INVALID_ARGUMENT`, as later where a method of the processor returns what it must not. */
  constructor(parts: ModelParts<Source>, processor: Processor<Input, Output, Source>) {
    if (!ModelParts.isInstance(parts)) throw wrongValue('parts', parts, 'a ModelParts');
    this.#parts = parts;
    readProcessor('processor', processor);
    readText('processor.input', processor.input);
    this.#processor = processor;
  }

  /** See `LoadedModel.decode`. */
  readonly decode: DecodeInput<Input, Output, Source> = (async (
    given: Input | readonly Input[],
    decoder: PartDecoder<Source>,
    options: InputOptions = {},
  ) => {
    if (!this.#isInput(given)) return this.#decode(this.#batchOf(given), decoder, options);
    const [result] = await this.#decode([given], decoder, options);
    return result;
  }) as DecodeInput<Input, Output, Source>;

  async #decode(
    inputs: readonly Input[],
    decoder: PartDecoder<Source>,
    given: InputOptions,
  ): Promise<InputResult<Output, Source>[]> {
    const options = checkOptions('decode of an input', given, OPTIONS);
    const decode = this.#bound(decoder, options);
    const readings = await this.#read(inputs, options);
    const events = watched(decode(this.#request(readings, options)), options.onEvent);
    const { results, statistics } = await collect(events);
    return results.map(({ row, hypotheses: found }) => {
      const reading = readings[row];
      const [first, ...others] = found;
      if (first === undefined || reading === undefined) {
        throw new ForetokenError('RUNTIME_FAILURE', `${decoder.name} gave no hypothesis for row ${row}.`, { row });
      }
      const { source, unknownTokens = 0 } = reading;
      const said = (hypothesis: Hypothesis): InputHypothesis<Output> => {
        const name = 'What processor.write returns';
        const output = immediate<Output>(name, this.#processor.write(hypothesis, source));
        if (!isObject(output)) throw wrongValue(name, output, 'an object, such as { text }');
        return { ...output, ...hypothesis };
      };
      const best = said(first);
      return { ...best, hypotheses: [best, ...others.map(said)], source, unknownTokens, statistics };
    });
  }

  /** See `LoadedModel.stream`. */
  readonly stream = (input: Input, decoder: PartDecoder<Source>, options: InputOptions = {}): AsyncIterable<string> =>
    this.#stream(input, decoder, options);

  async *#stream(
    input: Input,
    decoder: PartDecoder<Source>,
    given: InputOptions,
  ): AsyncGenerator<string, void, undefined> {
    const options = checkOptions('stream of an input', given, OPTIONS);
    if (!this.#isInput(input)) throw wrongValue('input', input, this.#processor.input);
    const decode = this.#bound(decoder, options);
    const textOf = this.#textOf('a stream of text');
    const { TextDeltas } = await loadCode('streams of text', () => import('./text-deltas.js'));
    const deltas = new TextDeltas(textOf);
    const readings = await this.#read([input], options);
    for await (const event of watched(decode(this.#request(readings, options)), options.onEvent)) {
      if (event.type !== 'token-commit') continue;
      const delta = deltas.push(event.tokenIds);
      if (delta !== '') yield delta;
    }
    const rest = deltas.end();
    if (rest !== '') yield rest;
  }

  /** Throws also for options that the decoder cannot use, before an input is read. */
  #bound(decoder: PartDecoder<Source>, { variant, initialOutputs, lengths }: InputOptions): BoundDecode<Source> {
    const decode = bindDecoder(this.#parts, decoder, variant);
    assertAccepted(decoder, { sources: [], initialOutputs: initialOutputs && [], lengths });
    return decode;
  }

  async #read(inputs: readonly Input[], { signal }: InputOptions): Promise<readonly SourceReading<Source>[]> {
    const readings: SourceReading<Source>[] = [];
    for (const input of inputs) {
      signal?.throwIfAborted();
      const reading = await this.#processor.read(input);
      if (reading?.source === undefined) throw wrongValue('read of the processor', reading, 'an object with a source');
      readings.push(reading);
    }
    signal?.throwIfAborted();
    return readings;
  }

  #request(
    readings: readonly SourceReading<Source>[],
    { maxNewTokens, minNewTokens, initialOutputs, lengths, stopStrings: strings, seed, signal }: InputOptions,
  ): DecodeRequest<Source> {
    const { stopTokenIds = [] } = this.#processor;
    const begun = readings.some(({ outputPrefix }) => outputPrefix !== undefined);
    return {
      sources: readings.map(({ source }) => source),
      outputPrefixes: begun ? readings.map(({ outputPrefix }) => outputPrefix ?? new Int32Array()) : undefined,
      maxNewTokens,
      minNewTokens,
      initialOutputs: initialOutputs?.map((given) => this.#outputOf(given)),
      lengths,
      stopSequences: stopTokenIds.length === 0 ? undefined : stopTokenIds.map((tokenId) => Int32Array.of(tokenId)),
      stopStrings: strings && { strings, textOf: this.#textOf('stopStrings') },
      seed,
      signal,
    };
  }

  /** Tokens of an output. Throws `UNSUPPORTED_CAPABILITY` where texts are no outputs. */
  #outputOf(given: string | Int32Array): Int32Array {
    if (typeof given !== 'string') return given;
    const { readOutput } = this.#processor;
    if (readOutput === undefined) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `The processor of ${this.#parts.folder} reads no outputs. Give initialOutputs as Int32Arrays of token ids.`,
        { capability: 'readOutput', option: 'initialOutputs', folder: this.#parts.folder },
      );
    }
    return given.trim() === '' ? new Int32Array() : readTokens('What processor.readOutput returns', readOutput(given));
  }

  /** Throws `UNSUPPORTED_CAPABILITY` where outputs are no text. */
  #textOf(wanted: string): (tokenIds: ArrayLike<number>) => string {
    const { textOf } = this.#processor;
    if (textOf !== undefined) return textOf;
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `The processor of ${this.#parts.folder} has no textOf, so ${wanted} cannot be given. Use decode, or the option onEvent.`,
      { capability: wanted, folder: this.#parts.folder },
    );
  }

  #isInput(value: unknown): value is Input {
    return flag('What processor.isInput returns', this.#processor.isInput(value));
  }

  /** The inputs to decode together. Throws `INVALID_ARGUMENT` for anything else. */
  #batchOf(given: unknown): readonly Input[] {
    const { input } = this.#processor;
    if (!Array.isArray(given)) throw wrongValue('input', given, `${input}, or a list of such`);
    return Array.from(given, (one: unknown, index) => {
      if (this.#isInput(one)) return one;
      throw wrongValue(`input[${index}]`, one, input);
    });
  }
}

async function* watched(
  events: AsyncIterable<DecodeEvent>,
  onEvent: InputOptions['onEvent'],
): AsyncGenerator<DecodeEvent, void, undefined> {
  for await (const event of events) {
    onEvent?.(event);
    yield event;
  }
}
