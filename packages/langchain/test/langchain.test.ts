import type { DecodeEvent } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import { InMemoryCache } from '@langchain/core/caches';
import { AIMessage, type AIMessageChunk, HumanMessage, SystemMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, PromptTemplate } from '@langchain/core/prompts';
import { describe, expect, it } from 'vitest';
import { chat, prompts, SENTENCE, translation } from '../../models/test/loaded-models.js';
import { ChatForetoken, ForetokenLLM } from '../src/index.js';
import { listOf } from './list-of.js';

const OTHER = 'Two dogs play.';

/** The model, and the events of whatever it decodes. */
function watched(model: LoadedModel): { readonly model: LoadedModel; readonly events: DecodeEvent[] } {
  const events: DecodeEvent[] = [];
  const stream: LoadedModel['stream'] = (input, decoder, options) =>
    model.stream(input, decoder, {
      ...options,
      onEvent: (event) => {
        events.push(event);
        options?.onEvent?.(event);
      },
    });
  return { model: Object.create(model, { stream: { value: stream } }) as LoadedModel, events };
}

describe('a chat model', () => {
  it('says what the model itself says, with usage, reason and statistics', async () => {
    const expected = await translation.decode(SENTENCE, greedy());
    const message = await new ChatForetoken({ model: translation, decoder: greedy() }).invoke(SENTENCE);
    expect(message.text).toBe(expected.text);
    expect(message.usage_metadata).toEqual({
      input_tokens: expected.source.length,
      output_tokens: expected.tokenIds.length,
      total_tokens: expected.source.length + expected.tokenIds.length,
    });
    expect(message.response_metadata).toMatchObject({
      model_name: 'model',
      model_provider: 'foretoken',
      finish_reason: 'stop',
      foretoken: { finishReason: 'end-token', forwards: expected.statistics.forwards },
    });
  });

  it.each([
    ['speculative', () => speculative({ drafter: latticeDrafter(translation.speculation()) })],
    ['ctcGreedy', () => ctcGreedy()],
  ] as const)('streams what %s writes, in a chain', async (_, decoder) => {
    const expected = await translation.decode(`${SENTENCE}`, decoder());
    const model = new ChatForetoken({ model: translation, decoder: decoder() });
    const chain = ChatPromptTemplate.fromMessages([['human', '{text}']]).pipe(model);
    const chunks = await listOf(await chain.stream({ text: SENTENCE }));
    const whole = chunks.reduce((left, right) => left.concat(right));
    expect(whole.text).toBe(expected.text);
    expect(whole.usage_metadata).toMatchObject({ output_tokens: expected.tokenIds.length });
    expect(whole.response_metadata).toMatchObject({ finish_reason: 'stop' });
    const texts = await listOf(await chain.pipe(new StringOutputParser()).stream({ text: SENTENCE }));
    expect(texts.join('')).toBe(expected.text);
    expect(texts.length).toBe(chunks.length);
  });

  it('reads a conversation by the template of the folder', async () => {
    const conversation = [
      { role: 'system', content: 'Rhyme.' },
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: 'why' },
    ];
    const expected = await chat.decode(conversation, greedy(), { maxNewTokens: 9 });
    const model = new ChatForetoken({ model: chat, decoder: greedy(), modelId: 'small-chat' });
    const messages = [
      new SystemMessage('Rhyme.'),
      new HumanMessage('hello'),
      new AIMessage('yes'),
      new HumanMessage({
        content: [
          { type: 'text', text: 'wh' },
          { type: 'text', text: 'y' },
        ],
      }),
    ];
    const message = await model.withConfig({ maxTokens: 9 }).invoke(messages);
    expect(message.text).toBe(expected.text);
    expect(message.usage_metadata).toMatchObject({ input_tokens: expected.source.length });
    expect(message.response_metadata).toMatchObject({ finish_reason: 'length', model_name: 'small-chat' });
    const chunks: AIMessageChunk[] = await listOf(await model.stream(messages, { maxTokens: 9 }));
    expect(chunks.map(({ text }) => text).join('')).toBe(expected.text);
  });

  it('answers a batch in its order', async () => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    const expected = await translation.decode([SENTENCE, OTHER, SENTENCE], greedy());
    const messages = await model.batch([SENTENCE, OTHER, SENTENCE], { maxConcurrency: 2 });
    expect(messages.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
  });

  it('draws with the settings of the call where a function makes the decoder', async () => {
    const settings = { temperature: 1.5, topP: 0.9, topK: 20, presencePenalty: 0.2, frequencyPenalty: 0.3 };
    const model = new ChatForetoken({ model: prompts, decoder: sampling });
    for (const seed of [1, 2]) {
      const expected = await prompts.decode('hello', sampling(settings), { seed, maxNewTokens: 8 });
      const message = await model.withConfig({ ...settings, seed }).invoke('hello', { maxTokens: 8 });
      expect(message.text).toBe(expected.text);
    }
  });

  it('cuts the text before a stop, bound or of the call', async () => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    const { text } = await translation.decode(SENTENCE, greedy());
    for (const stop of [text.slice(4, 7), text.slice(9, 10), text.slice(0, 3), text.slice(-1)]) {
      const expected = text.slice(0, text.indexOf(stop));
      const bound = model.withConfig({ stop: ['no such text', stop] });
      const message = await bound.invoke(SENTENCE);
      expect(message.text).toBe(expected);
      expect(message.response_metadata).toMatchObject({
        finish_reason: 'stop',
        foretoken: { finishReason: 'stop-string' },
      });
      const chunks = await listOf(await bound.stream(SENTENCE));
      expect(chunks.map((chunk) => chunk.text).join('')).toBe(expected);
    }
  });

  it('gives what was held back where the text ends in the beginning of a stop', async () => {
    const { text } = await translation.decode(SENTENCE, greedy());
    const fields = { model: translation, decoder: greedy() };
    const stop = [`${text.slice(-2)}#`];
    const chunks = await listOf(await new ChatForetoken(fields).stream(SENTENCE, { stop }));
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
    expect((await listOf(await new ForetokenLLM(fields).stream(SENTENCE, { stop }))).join('')).toBe(text);
  });

  it('tells callbacks of each piece, and tracers of its name', async () => {
    const pieces: string[] = [];
    const seen: unknown[] = [];
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    await listOf(
      await model.stream(SENTENCE, {
        callbacks: [
          {
            handleLLMNewToken: (piece) => void pieces.push(piece),
            handleChatModelStart: (_llm, _messages, _run, _parent, _extra, _tags, metadata) => void seen.push(metadata),
          },
        ],
      }),
    );
    expect(pieces.join('')).toBe((await translation.decode(SENTENCE, greedy())).text);
    expect(seen).toMatchObject([{ ls_provider: 'foretoken', ls_model_name: 'model', ls_model_type: 'chat' }]);
  });

  it('streams events of both kinds', async () => {
    const { text } = await translation.decode(SENTENCE, greedy());
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    const pieces: string[] = [];
    for await (const { event, data } of model.streamEvents(SENTENCE, { version: 'v2' })) {
      if (event === 'on_chat_model_stream') pieces.push((data.chunk as AIMessageChunk).text);
    }
    expect(pieces.join('')).toBe(text);
    const message = await model.streamEvents(SENTENCE);
    expect(message.text).toBe(text);
  });

  it('is not mistaken for another one in a cache', async () => {
    const cache = new InMemoryCache();
    const model = new ChatForetoken({ model: prompts, decoder: greedy(), cache });
    const other = new ChatForetoken({ model: prompts, decoder: sampling({ temperature: 2 }), cache });
    const options = { maxTokens: 12, seed: 5 };
    const first = await model.invoke('hello', options);
    const expected = await prompts.decode('hello', sampling({ temperature: 2 }), { maxNewTokens: 12, seed: 5 });
    expect((await other.invoke('hello', options)).text).toBe(expected.text);
    prompts.timings.reset();
    expect((await model.invoke('hello', options)).text).toBe(first.text);
    expect(prompts.timings.runs).toBe(0);
  });
});

describe('an abort', () => {
  it('ends a call with its reason, before it and in its midst', async () => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    const reason = new Error('enough');
    translation.timings.reset();
    await expect(model.invoke(SENTENCE, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(translation.timings.runs).toBe(0);
    const abort = new AbortController();
    const chunks = await model.stream(SENTENCE, { signal: abort.signal });
    const read = async () => {
      for await (const { text } of chunks) if (text !== '') abort.abort(reason);
    };
    await expect(read()).rejects.toThrow();
  });

  it('of whoever reads a stream stops the decode', async () => {
    const { model, events } = watched(translation);
    const chunks = await new ChatForetoken({ model, decoder: greedy() }).stream(SENTENCE);
    for await (const { text } of chunks) if (text !== '') break;
    const count = events.length;
    await new Promise(setImmediate);
    expect(events.length).toBe(count);
    expect(events.every(({ type }) => type === 'token-commit')).toBe(true);
  });
});

describe('a language model', () => {
  it('answers, streams and is part of a chain', async () => {
    const expected = await translation.decode(SENTENCE, greedy());
    const llm = new ForetokenLLM({ model: translation, decoder: greedy() });
    expect(await llm.invoke(SENTENCE)).toBe(expected.text);
    const chain = PromptTemplate.fromTemplate('{who} rides a bicycle along the beach.').pipe(llm);
    expect(await chain.invoke({ who: 'A man' })).toBe(expected.text);
    expect((await listOf(await chain.stream({ who: 'A man' }))).join('')).toBe(expected.text);
    const stop = expected.text.slice(4, 7);
    expect(await llm.invoke(SENTENCE, { stop: [stop] })).toBe(expected.text.slice(0, expected.text.indexOf(stop)));
    await expect(llm.invoke(SENTENCE, { temperature: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
  });

  it('decodes the prompts of one call together', async () => {
    const llm = new ForetokenLLM({ model: translation, decoder: greedy() });
    const expected = await translation.decode([SENTENCE, OTHER], greedy());
    translation.timings.reset();
    const { generations, llmOutput } = await llm.generate([SENTENCE, OTHER]);
    const runs = translation.timings.runs;
    translation.timings.reset();
    await translation.decode([SENTENCE, OTHER], greedy());
    expect(runs).toBe(translation.timings.runs);
    expect(generations.map(([first]) => first?.text)).toEqual(expected.map(({ text }) => text));
    const tokens = expected.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    expect(llmOutput?.tokenUsage.completionTokens).toBe(tokens);
  });
});

it.each([
  [{ model: {} }, 'INVALID_ARGUMENT'],
  [{ model: { decode() {}, stream() {}, processor: {}, folder: 'x' } }, 'UNSUPPORTED_CAPABILITY'],
  [{ decoder: 'greedy' }, 'INVALID_ARGUMENT'],
  [{ decoder: undefined }, 'INVALID_ARGUMENT'],
  [{ settings: ['temperature'] }, 'INVALID_ARGUMENT'],
  [{ decoder: sampling, settings: ['heat'] }, 'INVALID_ARGUMENT'],
  [{ modelId: 3 }, 'INVALID_ARGUMENT'],
])('made of %j it is refused', (fields, code) => {
  for (const Model of [ChatForetoken, ForetokenLLM]) {
    expect(() => new Model({ model: translation, decoder: greedy(), ...fields } as never)).toThrow(
      expect.objectContaining({ code }),
    );
  }
});

it.each<[unknown, string]>([
  [undefined, 'plain object'],
  [null, 'plain object'],
  ['model', 'plain object'],
  [[], 'plain object'],
  [greedy(), 'Did you mean decoder?'],
])('made of %j in place of fields it is refused', (fields, words) => {
  for (const Model of [ChatForetoken, ForetokenLLM]) {
    expect(() => new Model(fields as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(words) }),
    );
  }
});

it.each([
  ['temperature', 0.2, 'withConfig({ temperature })'],
  ['maxTokens', 10, 'withConfig({ maxTokens })'],
  ['stop', ['x'], 'withConfig({ stop })'],
  ['modelID', 'x', 'Did you mean modelId?'],
  ['setting', [], 'Did you mean settings?'],
  ['max_tokens', 10, 'maxNewTokens'],
])('ignores no %s of its constructor', (name, value, words) => {
  for (const Model of [ChatForetoken, ForetokenLLM]) {
    expect(() => new Model({ model: translation, decoder: greedy(), [name]: value } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(words) }),
    );
  }
});

it('takes the fields of LangChain', () => {
  const fields = {
    tags: ['a'],
    metadata: {},
    verbose: false,
    cache: false,
    maxConcurrency: 2,
    maxRetries: 1,
    callbacks: [],
  };
  for (const Model of [ChatForetoken, ForetokenLLM]) {
    expect(new Model({ model: translation, decoder: greedy(), ...fields }).tags).toEqual(['a']);
  }
});
