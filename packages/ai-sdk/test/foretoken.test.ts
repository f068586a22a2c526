import {
  InvalidPromptError,
  type LanguageModelV3CallOptions,
  type LanguageModelV3StreamPart,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import type { DecodeEvent } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { maskPredict } from '@foretoken/refine';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chat, prompts, SENTENCE, translation } from '../../models/test/loaded-models.js';
import { foretoken } from '../src/index.js';

// The SDK writes its warnings there too.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));
afterAll(() => void vi.restoreAllMocks());

const user = (text: string): LanguageModelV3CallOptions => ({
  prompt: [{ role: 'user', content: [{ type: 'text', text }] }],
});

async function partsOf(stream: ReadableStream<LanguageModelV3StreamPart>): Promise<LanguageModelV3StreamPart[]> {
  const parts: LanguageModelV3StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const textOf = (parts: readonly LanguageModelV3StreamPart[]): string =>
  parts.map((part) => (part.type === 'text-delta' ? part.delta : '')).join('');

describe('generateText and streamText', () => {
  it('translate as the model itself does, with usage, reason and statistics', async () => {
    const expected = await translation.decode(SENTENCE, greedy());
    const result = await generateText({ model: foretoken(translation, greedy()), prompt: SENTENCE });
    expect(result.text).toBe(expected.text);
    expect(result.finishReason).toBe('stop');
    expect(result.rawFinishReason).toBe('end-token');
    expect(result.usage).toMatchObject({
      inputTokens: expected.source.length,
      outputTokens: expected.tokenIds.length,
      totalTokens: expected.source.length + expected.tokenIds.length,
    });
    expect(result.warnings).toEqual([]);
    expect(result.response.modelId).toBe('model');
    expect(result.providerMetadata?.foretoken).toMatchObject({ forwards: expected.statistics.forwards });
  });

  it.each([
    ['speculative', () => speculative({ drafter: latticeDrafter(translation.speculation()) })],
    ['ctcGreedy', () => ctcGreedy()],
    ['maskPredict', () => maskPredict({ iterations: 3 })],
  ] as const)('stream what %s writes', async (_, decoder) => {
    const expected = await translation.decode(SENTENCE, decoder());
    const result = streamText({ model: foretoken(translation, decoder()), prompt: SENTENCE });
    const pieces: string[] = [];
    for await (const piece of result.textStream) pieces.push(piece);
    expect(pieces.join('')).toBe(expected.text);
    expect(await result.finishReason).toBe('stop');
    expect((await result.usage).outputTokens).toBe(expected.tokenIds.length);
    expect(await result.warnings).toEqual([]);
    const { speculation } = expected.statistics;
    if (speculation !== undefined) {
      expect((await result.providerMetadata)?.foretoken).toMatchObject({ speculation: { ...speculation } });
    }
  });

  it('chat by the template of the folder', async () => {
    const messages = [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: 'why' },
    ] as const;
    const conversation = [{ role: 'system', content: 'Rhyme.' }, ...messages];
    const expected = await chat.decode(conversation, greedy(), { maxNewTokens: 9 });
    const given = {
      model: foretoken(chat, greedy(), { modelId: 'small-chat' }),
      system: 'Rhyme.',
      messages: [...messages],
      maxOutputTokens: 9,
    };
    const result = await generateText(given);
    expect(result.text).toBe(expected.text);
    expect(result.usage.inputTokens).toBe(expected.source.length);
    expect(result.finishReason).toBe('length');
    expect(result.warnings).toEqual([]);
    expect(result.response.modelId).toBe('small-chat');
    const streamed = streamText(given);
    expect(await streamed.text).toBe(expected.text);
    expect(await streamed.finishReason).toBe('length');
  });

  it('draw with the settings of the call where a function makes the decoder', async () => {
    const settings = { temperature: 1.5, topP: 0.9, topK: 20, presencePenalty: 0.2, frequencyPenalty: 0.3 };
    const model = foretoken(prompts, sampling);
    for (const seed of [1, 2]) {
      const expected = await prompts.decode('hello', sampling(settings), { seed, maxNewTokens: 8 });
      const result = await generateText({ model, prompt: 'hello', seed, maxOutputTokens: 8, ...settings });
      expect(result.text).toBe(expected.text);
      expect(result.warnings).toEqual([]);
    }
  });

  it('warn of every option that changes nothing', async () => {
    const { text } = await generateText({ model: foretoken(translation, greedy()), prompt: SENTENCE });
    const result = await generateText({
      model: foretoken(translation, greedy()),
      system: 'Be brief.',
      prompt: SENTENCE,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      presencePenalty: 1,
      frequencyPenalty: 1,
      tools: { look: tool({ inputSchema: jsonSchema<object>({ type: 'object' }) }) },
      headers: { 'x-mine': 'yes' },
      providerOptions: { foretoken: { beams: 4 } },
    });
    expect(result.text).toBe(text);
    expect(result.warnings?.map((warning) => ('feature' in warning ? warning.feature : warning))).toEqual([
      'temperature',
      'topP',
      'topK',
      'presencePenalty',
      'frequencyPenalty',
      'tools',
      'headers',
      'providerOptions.foretoken',
      'conversation',
    ]);
  });

  it('end with the reason of an abort', async () => {
    const model = foretoken(translation, greedy());
    const reason = new Error('enough');
    const abortSignal = AbortSignal.abort(reason);
    await expect(generateText({ model, prompt: SENTENCE, abortSignal, maxRetries: 0 })).rejects.toBe(reason);
    const abort = new AbortController();
    const aborted = vi.fn();
    const result = streamText({ model, prompt: SENTENCE, abortSignal: abort.signal, onAbort: aborted });
    for await (const part of result.fullStream) if (part.type === 'text-delta') abort.abort();
    expect(aborted).toHaveBeenCalledOnce();
  });
});

describe('a call', () => {
  it('takes only the settings that the function takes', async () => {
    const made: unknown[] = [];
    const make = (settings: object) => {
      made.push(settings);
      return greedy(settings);
    };
    const model = foretoken(translation, make, { settings: ['frequencyPenalty'] });
    const { warnings } = await model.doGenerate({ ...user(SENTENCE), temperature: 1, frequencyPenalty: 0.5 });
    expect(made).toEqual([{ frequencyPenalty: 0.5 }]);
    expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'temperature' }]);
  });

  it('warns of JSON, of raw chunks and of a tool that it must call', async () => {
    const call = {
      ...user(SENTENCE),
      responseFormat: { type: 'json' },
      includeRawChunks: true,
      toolChoice: { type: 'required' },
    } as const;
    const { stream } = await foretoken(translation, greedy()).doStream(call);
    const [start] = await partsOf(stream);
    expect(start).toMatchObject({
      type: 'stream-start',
      warnings: [{ feature: 'toolChoice' }, { feature: 'responseFormat' }, { feature: 'includeRawChunks' }],
    });
  });

  it('cuts the text before a stop, in one piece and in many', async () => {
    const { text } = await translation.decode(SENTENCE, greedy());
    for (const stop of [text.slice(4, 7), text.slice(9, 10), text.slice(0, 3), text.slice(-1)]) {
      const call = { ...user(SENTENCE), stopSequences: ['no such text', stop] };
      const model = foretoken(translation, greedy());
      const { content, finishReason } = await model.doGenerate(call);
      const expected = text.slice(0, text.indexOf(stop));
      expect(content).toEqual(expected === '' ? [] : [{ type: 'text', text: expected }]);
      expect(finishReason).toEqual({ unified: 'stop', raw: 'stop-string' });
      const parts = await partsOf((await model.doStream(call)).stream);
      expect(textOf(parts)).toBe(expected);
      expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason });
    }
  });

  it('streams parts in the order that the SDK expects', async () => {
    const { stream } = await foretoken(translation, greedy()).doStream(user(SENTENCE));
    const types = (await partsOf(stream)).map(({ type }) => type);
    expect(types.slice(0, 4)).toEqual(['stream-start', 'response-metadata', 'text-start', 'text-delta']);
    expect(types.filter((type) => type === 'text-delta').length).toBeGreaterThan(2);
    expect(types.slice(-2)).toEqual(['text-end', 'finish']);
  });

  it('reads the last user message where there is no template, and says so', async () => {
    const expected = await prompts.decode('hello', greedy(), { maxNewTokens: 3 });
    const { content, warnings } = await foretoken(prompts, greedy()).doGenerate({
      prompt: [{ role: 'system', content: 'x' }, ...user('hello').prompt],
      maxOutputTokens: 3,
    });
    expect(content).toEqual([{ type: 'text', text: expected.text }]);
    expect(warnings).toMatchObject([{ feature: 'conversation' }]);
  });

  it('is refused before any compute where it holds no text, or none of a user', async () => {
    const model = foretoken(translation, greedy());
    translation.timings.reset();
    const file = { type: 'file', mediaType: 'image/png', data: Uint8Array.of(1) } as const;
    for (const ask of [model.doGenerate, model.doStream]) {
      const asked = async (prompt: LanguageModelV3CallOptions['prompt']) => ask({ prompt });
      await expect(asked([{ role: 'user', content: [file] }])).rejects.toSatisfy(
        UnsupportedFunctionalityError.isInstance,
      );
      await expect(asked([{ role: 'system', content: 'x' }])).rejects.toSatisfy(InvalidPromptError.isInstance);
      await expect(asked(user(' ').prompt)).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
    }
    expect(translation.timings.runs).toBe(0);
  });

  it('tells the stream of an error, and ends it', async () => {
    const error = new Error('no more');
    const failing = greedy({
      processors: [
        (_, { output }) => {
          if (output.length > 5) throw error;
        },
      ],
    });
    const { stream } = await foretoken(translation, failing).doStream(user(SENTENCE));
    const parts = await partsOf(stream);
    expect(textOf(parts)).not.toBe('');
    expect(parts.slice(-3)).toMatchObject([
      { type: 'error', error },
      { type: 'text-end' },
      { type: 'finish', finishReason: { unified: 'error' } },
    ]);
    await expect(foretoken(translation, failing).doGenerate(user(SENTENCE))).rejects.toBe(error);
  });

  it('stops decoding when its stream is cancelled, and decodes nothing that is not read', async () => {
    const events: DecodeEvent[] = [];
    const watched: LoadedModel = {
      ...translation,
      tokenizer: translation.tokenizer,
      stream: (input, decoder, options) =>
        translation.stream(input, decoder, {
          ...options,
          onEvent: (event) => {
            events.push(event);
            options?.onEvent?.(event);
          },
        }),
    };
    const { stream } = await foretoken(watched, greedy()).doStream(user(SENTENCE));
    expect(events).toEqual([]);
    const reader = stream.getReader();
    for (let part = await reader.read(); part.value?.type !== 'text-delta'; ) part = await reader.read();
    await reader.cancel();
    const count = events.length;
    expect(events.every(({ type }) => type === 'token-commit')).toBe(true);
    await new Promise(setImmediate);
    expect(events.length).toBe(count);
  });
});

it.each([
  ['is none', {}, 'INVALID_ARGUMENT'],
  ['writes no text', { processor: { textOf: undefined } }, 'UNSUPPORTED_CAPABILITY'],
])('a model that %s is refused', (_, parts, code) => {
  const model = code === 'INVALID_ARGUMENT' ? parts : { ...translation, tokenizer: undefined, ...parts };
  expect(() => foretoken(model as never, greedy())).toThrow(expect.objectContaining({ code }));
});

it.each([
  [{ settings: ['temperature'] }, greedy()],
  [{ settings: ['heat'] }, sampling],
  [{ modelId: 3 }, sampling],
  [{ name: 'x' }, sampling],
])('options %j are refused', (options, decoder) => {
  expect(() => foretoken(translation, decoder, options as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
