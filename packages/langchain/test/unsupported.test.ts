import { greedy } from '@foretoken/greedy';
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { SENTENCE, translation } from '../../models/test/loaded-models.js';
import { ChatForetoken } from '../src/index.js';
import { listOf } from './list-of.js';

describe('what it cannot do', () => {
  it.each([
    [{ temperature: 0.5 }, 'temperature'],
    [{ topK: 3 }, 'topK'],
    [{ tools: [] }, 'tools'],
    [{ functions: [] }, 'functions'],
    [{ tool_choice: 'any' }, 'tool_choice'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
  ])('of %j is refused before any compute', async (options, option) => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    translation.timings.reset();
    const refused = expect.objectContaining({
      code: 'UNSUPPORTED_CAPABILITY',
      details: expect.objectContaining({ option }),
    });
    await expect(model.invoke(SENTENCE, options as never)).rejects.toEqual(refused);
    const stream = async () => listOf(await model.withConfig(options as never).stream(SENTENCE));
    await expect(stream()).rejects.toEqual(refused);
    expect(translation.timings.runs).toBe(0);
  });

  it.each([[{ maxToken: 3 }], [{ maxTokens: 0 }], [{ seed: -1 }], [{ stop: [''] }], [{ stop: 'x' }]])(
    'as %j, a mistake, is refused',
    async (options) => {
      const model = new ChatForetoken({ model: translation, decoder: greedy() });
      await expect(model.invoke(SENTENCE, options as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );

  it('takes only the settings that the function takes', async () => {
    const made: unknown[] = [];
    const decoder = (settings: object) => {
      made.push(settings);
      return greedy(settings);
    };
    const model = new ChatForetoken({ model: translation, decoder, settings: ['frequencyPenalty'] });
    await model.invoke(SENTENCE, { frequencyPenalty: 0.5 });
    expect(made).toEqual([{ frequencyPenalty: 0.5 }]);
    await expect(model.invoke(SENTENCE, { temperature: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
  });

  it.each([
    ['several messages without a template', [new SystemMessage('x'), new HumanMessage('y')], 'chat'],
    ['an answer alone', [new AIMessage('x')], 'chat'],
    ['a picture', [new HumanMessage({ content: [{ type: 'image_url', image_url: 'x' }] })], 'text'],
    ['a tool’s result', [new ToolMessage({ content: 'x', tool_call_id: '1' })], 'tool'],
    ['tool calls', [new AIMessage({ content: '', tool_calls: [{ name: 'a', args: {} }] })], 'text'],
  ])('such as %s is refused', async (_, messages, capability) => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    translation.timings.reset();
    await expect(model.invoke(messages)).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      details: { capability },
    });
    expect(translation.timings.runs).toBe(0);
  });

  it('nor has tools to bind', () => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    expect(model.bindTools).toBeUndefined();
    expect(() => model.withStructuredOutput({ type: 'object' })).toThrow();
  });

  it('is told of nothing to read', async () => {
    const model = new ChatForetoken({ model: translation, decoder: greedy() });
    await expect(model.invoke([])).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
    await expect(model.invoke(' ')).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
  });

  it('fails as its decoder fails', async () => {
    const error = new Error('no more');
    const fail = (_: unknown, { output }: { readonly output: ArrayLike<number> }): void => {
      if (output.length > 5) throw error;
    };
    const model = new ChatForetoken({ model: translation, decoder: greedy({ processors: [fail] }) });
    await expect(model.invoke(SENTENCE)).rejects.toBe(error);
    const stream = async () => listOf(await model.stream(SENTENCE));
    await expect(stream()).rejects.toBe(error);
  });
});
