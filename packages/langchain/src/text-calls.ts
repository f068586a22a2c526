import { type DecodeEvent, type DecodeStatistics, ForetokenError, type Hypothesis } from '@foretoken/core';
import {
  checkOptions,
  fieldsOf,
  hasMethods,
  listOf,
  nameHint,
  type OptionTable,
  oneOf,
  text as readText,
  StopText,
  withMethods,
  wrongValue,
} from '@foretoken/core/kit';
import type { InputOptions, LoadedModel, PartDecoder, SourceReading, TextInput } from '@foretoken/models';
import {
  type CallOptions,
  DECODER_SETTINGS,
  type DecoderSettings,
  decoderSettings,
  isCallOption,
  readCallOptions,
} from './call-options.js';
import type { ReadInput } from './messages.js';

/** What is used of a loaded model whose inputs and outputs are text. */
export type TextModel = Pick<LoadedModel, 'decode' | 'stream' | 'processor' | 'folder'>;

/** A decoder, whose settings are its own, or a function that makes one from the settings of each call, such as `sampling`. */
export type DecoderOption = PartDecoder | ((settings: DecoderSettings) => PartDecoder);

/** What a model of LangChain is made of. */
export interface ForetokenFields {
  /** A loaded model. It stays the caller's, who disposes of it. */
  readonly model: TextModel;
  /** How outputs are chosen: a decoder, or what makes one for each call. */
  readonly decoder: DecoderOption;
  /** The model's name in results and traces; default: the last part of its folder's path. */
  readonly modelId?: string | undefined;
  /** Settings of a call that the function which makes decoders takes; default all. The others are refused. */
  readonly settings?: readonly (keyof DecoderSettings)[] | undefined;
}

const FIELDS: OptionTable<ForetokenFields> = {
  model: withMethods('a loaded model, as loadModel gives', 'decode', 'stream'),
  // The model checks it.
  decoder: (name, value) => {
    if (typeof value === 'function' || hasMethods(value, 'decode')) return value as DecoderOption;
    throw wrongValue(name, value, 'a decoder such as greedy(), or a function that makes one such as sampling');
  },
  modelId: readText,
  settings: listOf(oneOf(...DECODER_SETTINGS)),
};

const OUR_FIELDS: readonly string[] = Object.keys(FIELDS);

/** What came out of a call. */
export interface CallResult {
  readonly text: string;
  readonly usage: Usage;
  /** Why it ended, how often the model ran, and which model it was. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Tokens of a call, under LangChain's names. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
}

/** Calls of one model with one decoder, or with what a function makes for each call. */
export class TextCalls {
  readonly model: TextModel;
  readonly modelId: string;
  readonly #decoder: DecoderOption;
  readonly #taken: readonly (keyof DecoderSettings)[];

  /** Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` where outputs are no text. */
  constructor(owner: string, given: ForetokenFields) {
    const { model, decoder, modelId, settings } = checkOptions(owner, given, FIELDS, ['model', 'decoder']);
    if (model.processor.textOf === undefined) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `Outputs of ${model.folder} are no text, and LangChain's models give texts. Use model.decode.`,
        { capability: 'text', folder: model.folder },
      );
    }
    const made = typeof decoder === 'function';
    if (!made && settings !== undefined) {
      throw wrongValue(
        'settings',
        settings,
        'nothing, since the decoder is made already; give a function that makes it',
      );
    }
    this.model = model;
    this.modelId = modelId ?? nameOf(model.folder);
    this.#decoder = decoder;
    this.#taken = made ? (settings ?? DECODER_SETTINGS) : [];
  }

  /** Reads the options of a call; nothing is computed. Throws `UNSUPPORTED_CAPABILITY`, `INVALID_ARGUMENT`. */
  options(given: object): CallOptions {
    return readCallOptions(given, this.#taken);
  }

  /** Decodes an input to its end. Throws what `model.decode` throws, or the signal's reason. */
  async complete({ input, reading }: ReadInput, options: CallOptions): Promise<CallResult> {
    const result = await this.model.decode(input, this.#decoderOf(options), inputOptions(options));
    return this.#resultOf(result, result.text, result.statistics, reading, options);
  }

  /** Decodes several inputs together. */
  async completeAll(inputs: readonly ReadInput[], options: CallOptions): Promise<readonly CallResult[]> {
    const texts = inputs.map(({ input }) => input);
    const results = await this.model.decode(texts, this.#decoderOf(options), inputOptions(options));
    return results.map((result, at) =>
      this.#resultOf(result, result.text, result.statistics, inputs[at].reading, options),
    );
  }

  /** Decodes an input and gives its text in pieces, as soon as they are final; the result comes last. */
  async *stream(
    { input, reading }: ReadInput,
    options: CallOptions,
  ): AsyncGenerator<string | CallResult, void, undefined> {
    let end: Extract<DecodeEvent, { type: 'decode-end' }> | undefined;
    const onEvent = (event: DecodeEvent): void => {
      if (event.type === 'decode-end') end = event;
    };
    const cut = new StopText(options.stop ?? []);
    let text = '';
    const pieces = this.model.stream(input, this.#decoderOf(options), { ...inputOptions(options), onEvent });
    for await (const piece of pieces) {
      const more = cut.push(piece);
      text += more;
      if (more !== '') yield more;
    }
    const rest = cut.end();
    if (rest !== '') yield rest;
    const best = end?.results[0]?.best;
    if (end === undefined || best === undefined) {
      throw new ForetokenError('RUNTIME_FAILURE', 'The decoder gave no result before its stream ended.');
    }
    yield this.#result(text + rest, best, end.statistics, reading);
  }

  #decoderOf(options: CallOptions): PartDecoder {
    const decoder = this.#decoder;
    return typeof decoder === 'function' ? decoder(decoderSettings(options, this.#taken)) : decoder;
  }

  #resultOf(
    hypothesis: Hypothesis,
    whole: string,
    statistics: DecodeStatistics,
    reading: SourceReading,
    options: CallOptions,
  ): CallResult {
    const cut = new StopText(options.stop ?? []);
    return this.#result(cut.push(whole) + cut.end(), hypothesis, statistics, reading);
  }

  #result(
    text: string,
    { finishReason, tokenIds }: Hypothesis,
    statistics: DecodeStatistics,
    { source, outputPrefix }: SourceReading,
  ): CallResult {
    // What an output begins with was given, so it counts as input.
    const given = outputPrefix?.length ?? 0;
    const [input, output] = [source.length + given, tokenIds.length - given];
    return {
      text,
      usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
      metadata: {
        model_name: this.modelId,
        model_provider: 'foretoken',
        finish_reason: finishReason === 'length' ? 'length' : 'stop',
        foretoken: { finishReason, ...statistics },
      },
    };
  }
}

function inputOptions({ maxTokens, stop = [], seed, signal }: CallOptions): InputOptions {
  return { maxNewTokens: maxTokens, stopStrings: stop.length === 0 ? undefined : stop, seed, signal };
}

function nameOf(folder: string): string {
  return folder.split(/[/\\]/).findLast((part) => part !== '') ?? folder;
}

/**
 * The fields of a constructor as they are, looked at before LangChain takes its own of them. Throws `INVALID_ARGUMENT` for what is
 * no plain object, for an option of calls, and for a name that comes near one of ours: LangChain would ignore them.
 */
export function constructorFields<Fields extends ForetokenFields>(owner: string, fields: Fields): Fields {
  for (const [name, value] of fieldsOf(owner, fields)) {
    if (typeof name === 'symbol' || value === undefined || OUR_FIELDS.includes(name)) continue;
    const details = { option: name, received: value, required: OUR_FIELDS };
    if (isCallOption(name)) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${owner} takes no ${name}, which is of a call: bind it with withConfig({ ${name} }), or make the decoder with it.`,
        details,
      );
    }
    const hint = nameHint(name, OUR_FIELDS);
    if (hint !== '') throw new ForetokenError('INVALID_ARGUMENT', `${owner} takes no ${name}.${hint}`, details);
  }
  return fields;
}

/** The fields of ours among those of a constructor, which LangChain's are beside. */
export function ownFields({ model, decoder, modelId, settings }: ForetokenFields): ForetokenFields {
  return { model, decoder, modelId, settings };
}

/** A prompt, read. Throws what reading it throws. */
export async function readPrompt({ processor }: TextModel, input: TextInput): Promise<ReadInput> {
  return { input, reading: await processor.read(input) };
}
