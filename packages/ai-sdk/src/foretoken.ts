import type {
  JSONObject,
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
  SharedV3Warning,
} from '@ai-sdk/provider';
import {
  type DecodeEvent,
  type DecodeStatistics,
  type FinishReason,
  ForetokenError,
  type Hypothesis,
} from '@foretoken/core';
import {
  assertDecoder,
  checkOptions,
  hasMethods,
  listOf,
  type OptionTable,
  oneOf,
  text as readText,
  StopText,
  wrongValue,
} from '@foretoken/core/kit';
import type { InputOptions, LoadedModel, PartDecoder, SourceReading, TextInput } from '@foretoken/models';
import { DECODER_SETTINGS, type DecoderSettings, decoderSettings, settingWarnings } from './call-settings.js';
import { promptInput } from './prompt.js';
import { readCall } from './read-call.js';
import { readResult } from './read-result.js';

/** What is used of a loaded model whose inputs and outputs are text. */
export type TextModel = Pick<LoadedModel, 'decode' | 'stream' | 'processor' | 'folder'>;

/** Options of a Foretoken model that the AI SDK is given. */
export interface ForetokenOptions {
  /** The model's name in results and logs; default: the last part of its folder's path. */
  readonly modelId?: string | undefined;
  /** Settings of a call that the function which makes decoders takes; default all. The others give a warning. */
  readonly settings?: readonly (keyof DecoderSettings)[] | undefined;
}

const OPTIONS: OptionTable<ForetokenOptions> = { modelId: readText, settings: listOf(oneOf(...DECODER_SETTINGS)) };

type MakeDecoder = (settings: DecoderSettings) => PartDecoder;

/** A call, read and checked; nothing is computed yet. */
interface Call {
  readonly input: TextInput;
  readonly reading: SourceReading;
  readonly decoder: PartDecoder;
  readonly options: InputOptions;
  readonly stops: readonly string[];
  readonly warnings: SharedV3Warning[];
}

/**
 * A loaded model as a language model of the AI SDK, for `generateText`, `streamText` and whatever else takes one.
 *
 * `decoder` is a decoder, whose settings are its own, or a function that makes one from the settings of each call, such as
 * `sampling`. The model stays the caller's, who disposes of it. Options that change nothing give a warning.
 *
 * Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` where outputs are no text. Calls throw what `model.decode` throws, and
 * the SDK's own errors for prompts that are no text.
 */
export function foretoken(
  model: TextModel,
  decoder: PartDecoder | MakeDecoder,
  given: ForetokenOptions = {},
): LanguageModelV3 {
  const folder = folderOf(model);
  const { modelId = nameOf(folder), settings } = checkOptions('foretoken', given, OPTIONS);
  const made = typeof decoder === 'function';
  if (!made)
    readDecoder('decoder', decoder, 'a decoder, such as greedy(), or a function that makes one, such as sampling');
  if (!made && settings !== undefined) {
    throw wrongValue('settings', settings, 'nothing, since the decoder is made already; give a function that makes it');
  }
  const taken = made ? (settings ?? DECODER_SETTINGS) : [];

  async function prepare(call: LanguageModelV3CallOptions, unknown: readonly string[]): Promise<Call> {
    call.abortSignal?.throwIfAborted();
    const { input, reading, warnings } = await promptInput(model, call.prompt);
    const stops = call.stopSequences ?? [];
    return {
      input,
      reading,
      decoder: made
        ? readDecoder('What decoder returns', decoder(decoderSettings(call, taken)), 'a decoder, such as greedy()')
        : decoder,
      options: {
        maxNewTokens: call.maxOutputTokens,
        stopStrings: stops.length === 0 ? undefined : stops,
        seed: call.seed,
        signal: call.abortSignal,
      },
      stops,
      warnings: [...settingWarnings(call, taken, unknown), ...warnings],
    };
  }

  return {
    specificationVersion: 'v3',
    provider: 'foretoken',
    modelId,
    supportedUrls: {},
    async doGenerate(given) {
      const { options, unknown } = readCall('doGenerate', given);
      const call = await prepare(options, unknown);
      const result = readResult(await model.decode(call.input, call.decoder, call.options));
      const cut = new StopText(call.stops);
      const text = cut.push(result.text) + cut.end();
      return {
        content: text === '' ? [] : [{ type: 'text', text }],
        finishReason: finishReasonOf(result.finishReason),
        usage: usageOf(call.reading, result),
        providerMetadata: metadataOf(result.statistics),
        response: { modelId },
        warnings: call.warnings,
      };
    },
    async doStream(given) {
      const { options, unknown } = readCall('doStream', given);
      const stopped = new AbortController();
      const signals = options.abortSignal === undefined ? [] : [options.abortSignal];
      const abortSignal = AbortSignal.any([...signals, stopped.signal]);
      const call = await prepare({ ...options, abortSignal }, unknown);
      return { stream: streamOf(streamParts(model, modelId, call), stopped) };
    },
  };
}

async function* streamParts(
  model: TextModel,
  modelId: string,
  call: Call,
): AsyncGenerator<LanguageModelV3StreamPart, void, undefined> {
  const id = '0';
  const cut = new StopText(call.stops);
  let end: Extract<DecodeEvent, { type: 'decode-end' }> | undefined;
  const onEvent = (event: DecodeEvent): void => {
    if (event.type === 'decode-end') end = event;
  };
  yield { type: 'stream-start', warnings: call.warnings };
  yield { type: 'response-metadata', modelId };
  let begun = false;
  const delta = function* (text: string): Generator<LanguageModelV3StreamPart, void, undefined> {
    if (text === '') return;
    if (!begun) yield { type: 'text-start', id };
    begun = true;
    yield { type: 'text-delta', id, delta: text };
  };
  try {
    for await (const piece of model.stream(call.input, call.decoder, { ...call.options, onEvent })) {
      yield* delta(cut.push(readText('A piece of model.stream', piece)));
    }
    yield* delta(cut.end());
  } catch (error) {
    // The SDK knows an abort by the stream's own failure.
    call.options.signal?.throwIfAborted();
    yield { type: 'error', error };
  }
  if (begun) yield { type: 'text-end', id };
  const best = end?.results[0]?.best;
  yield {
    type: 'finish',
    finishReason: finishReasonOf(best?.finishReason),
    usage: usageOf(call.reading, best),
    providerMetadata: metadataOf(end?.statistics),
  };
}

/** Nothing is decoded before it is read; one that is cancelled stops the decode. */
function streamOf<Part>(parts: AsyncGenerator<Part, void, undefined>, stopped: AbortController): ReadableStream<Part> {
  return new ReadableStream<Part>(
    {
      async pull(controller) {
        const { value, done } = await parts.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        stopped.abort(reason);
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Without a reason the decode failed. */
function finishReasonOf(raw: FinishReason | undefined): LanguageModelV3FinishReason {
  if (raw === undefined) return { unified: 'error', raw };
  return { unified: raw === 'length' ? 'length' : 'stop', raw };
}

/** What an output begins with was given, so it counts as input. */
function usageOf({ source, outputPrefix }: SourceReading, output: Hypothesis | undefined): LanguageModelV3Usage {
  const given = outputPrefix?.length ?? 0;
  const input = source.length + given;
  const written = output && output.tokenIds.length - given;
  return {
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: written, text: written, reasoning: undefined },
  };
}

function readDecoder(name: string, decoder: unknown, required: string): PartDecoder {
  if (!hasMethods(decoder, 'decode')) throw wrongValue(name, decoder, required);
  assertDecoder(decoder as PartDecoder);
  return decoder as PartDecoder;
}

/** The folder of a model whose outputs are text. */
function folderOf(model: TextModel): string {
  const required = 'a loaded model, as loadModel gives';
  if (!hasMethods(model, 'decode', 'stream')) throw wrongValue('model', model, required);
  const { processor } = model;
  if (!hasMethods(processor)) throw wrongValue('model.processor', processor, required);
  const folder = readText('model.folder', model.folder);
  if (hasMethods(processor, 'textOf')) {
    if (hasMethods(processor, 'isInput', 'read')) return folder;
    throw wrongValue('model.processor', processor, required);
  }
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `Outputs of ${folder} are no text, and the AI SDK takes texts. Use model.decode.`,
    { capability: 'text', folder },
  );
}

/** The statistics of a decode that came to its end. */
function metadataOf(statistics: DecodeStatistics | undefined): Record<string, JSONObject> {
  if (statistics === undefined) return {};
  const { speculation, ...counts } = statistics;
  return { foretoken: { ...counts, speculation: speculation && { ...speculation } } };
}

function nameOf(folder: string): string {
  return folder.split(/[/\\]/).findLast((part) => part !== '') ?? folder;
}
