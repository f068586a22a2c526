import { setImmediate } from 'node:timers/promises';
import { InvalidPromptError, type LanguageModelV3CallOptions, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { ForetokenError } from '@foretoken/core';
import { StopText } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { describe, expect, it } from 'vitest';
import { ODD_VALUES } from '../../testkit/test/odd-values.js';
import { foretoken, type TextModel } from '../src/index.js';

let computed = 0;
/** A model that says how often it was asked. */
const MODEL = {
  folder: 'model',
  processor: {
    input: 'a text',
    isInput: (value: unknown) => typeof value === 'string',
    read: () => ({ source: Int32Array.of(1, 0) }),
    write: () => ({ text: 'yes' }),
    textOf: () => 'yes',
  },
  decode: async () => {
    computed++;
    return {
      text: 'yes',
      tokenIds: Int32Array.of(1),
      finishReason: 'end-token',
      statistics: { forwards: 1, tokens: 1, totalMs: 1 },
    };
  },
  async *stream() {
    computed++;
    yield 'yes';
  },
} as unknown as TextModel;

const PROMPT: LanguageModelV3CallOptions['prompt'] = [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }];
const isTyped = (error: unknown): boolean =>
  error === 'stopped' ||
  ForetokenError.isInstance(error) ||
  InvalidPromptError.isInstance(error) ||
  UnsupportedFunctionalityError.isInstance(error);

/** What a call fails with, undefined where it gives something. */
async function failure(options: unknown, make: boolean): Promise<unknown> {
  const model = foretoken(MODEL, make ? sampling : greedy());
  try {
    await model.doGenerate(options as LanguageModelV3CallOptions);
  } catch (error) {
    await expect(model.doStream(options as LanguageModelV3CallOptions).then(({ stream }) => stream)).rejects.toSatisfy(
      isTyped,
    );
    return error;
  }
  const { stream } = await model.doStream(options as LanguageModelV3CallOptions);
  for await (const part of stream) if (part.type === 'error') throw part.error;
  return undefined;
}

const FIELDS = [
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'presencePenalty',
  'frequencyPenalty',
  'stopSequences',
  'responseFormat',
  'seed',
  'tools',
  'toolChoice',
  'includeRawChunks',
  'abortSignal',
  'headers',
  'providerOptions',
  'noSuchOption',
];

describe('whatever a call is given', () => {
  it.each(FIELDS)('as %s, its error has a type and comes before any compute', async (field) => {
    for (const [index, value] of ODD_VALUES.entries()) {
      for (const make of [false, true]) {
        const before = computed;
        const error = await failure({ prompt: PROMPT, [field]: value() }, make);
        if (error === undefined) continue;
        expect([index, error, isTyped(error)]).toEqual([index, error, true]);
        expect(computed).toBe(before);
      }
    }
  });

  it.each<[string, (value: unknown) => unknown]>([
    ['the call', (value) => value],
    ['its prompt', (value) => ({ prompt: value })],
    ['a message', (value) => ({ prompt: [value] })],
    ['a role', (value) => ({ prompt: [{ role: value, content: [] }, ...PROMPT] })],
    ['what the system says', (value) => ({ prompt: [{ role: 'system', content: value }, ...PROMPT] })],
    ['what a user says', (value) => ({ prompt: [{ role: 'user', content: value }] })],
    ['a part', (value) => ({ prompt: [{ role: 'user', content: [value] }] })],
    ['the type of a part', (value) => ({ prompt: [{ role: 'user', content: [{ type: value, text: 'x' }] }] })],
    ['a text', (value) => ({ prompt: [{ role: 'user', content: [{ type: 'text', text: value }] }] })],
    [
      'reasoning',
      (value) => ({ prompt: [{ role: 'assistant', content: [{ type: 'reasoning', text: value }] }, ...PROMPT] }),
    ],
    ['a tool', (value) => ({ prompt: PROMPT, tools: [value] })],
    ['a stop', (value) => ({ prompt: PROMPT, stopSequences: [value] })],
    ['a header', (value) => ({ prompt: PROMPT, headers: { 'x-mine': value } })],
    ['options of a provider', (value) => ({ prompt: PROMPT, providerOptions: { other: value } })],
  ])('as %s, likewise', async (_, made) => {
    for (const [index, value] of ODD_VALUES.entries()) {
      const before = computed;
      const error = await failure(made(value()), true);
      if (error === undefined) continue;
      expect([index, error, isTyped(error)]).toEqual([index, error, true]);
      expect(computed).toBe(before);
    }
  });

  it('it is told what was wrong, what came and what is asked for', async () => {
    const odd = { prompt: [{ role: 'user', content: [{ type: 'text', text: 5 }] }] };
    const error = await failure(odd, false);
    expect(InvalidPromptError.isInstance(error)).toBe(true);
    expect(String(error)).toContain('prompt[0].content[0].text must be a string, but was 5.');
    expect(String(await failure({ prompt: PROMPT, maxOutputTokens: Number.POSITIVE_INFINITY }, false))).toContain(
      'maxOutputTokens must be an integer of at least 1, but was Infinity.',
    );
    expect(String(await failure({ prompt: PROMPT, toolChoice: { type: 'any' } }, false))).toContain(
      'toolChoice.type must be auto or none or required or tool, but was "any".',
    );
  });

  it('an option that nobody knows gives a warning', async () => {
    const call = { prompt: PROMPT, beams: 4 } as LanguageModelV3CallOptions;
    const { warnings } = await foretoken(MODEL, greedy()).doGenerate(call);
    expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'beams' }]);
  });
});

/** Errors of promises, and of reading what waiting for one reads. */
const AWAITED = ['rejected', 'a trap that throws', "Cannot perform 'get' on a proxy that has been revoked"];

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

describe('whatever is in the place of', () => {
  const odd =
    (run: (value: unknown) => unknown, awaited: readonly string[] = ['rejected']) =>
    async () => {
      for (const [index, value] of ODD_VALUES.entries()) {
        try {
          // Some promises never answer.
          await Promise.race([run(value()), turns(50)]);
        } catch (error) {
          // What waiting for a model's own promise throws is its matter.
          const own = error instanceof Error && awaited.includes(error.message);
          expect([index, error, own || isTyped(error)]).toEqual([index, error, true]);
        }
      }
    };
  const asked = async (model: unknown, decoder: unknown = greedy()): Promise<void> => {
    const { doGenerate, doStream } = foretoken(model as TextModel, decoder as never);
    await doGenerate({ prompt: PROMPT });
    const { stream } = await doStream({ prompt: PROMPT });
    for await (const part of stream) if (part.type === 'error') throw part.error;
  };

  it(
    'the model',
    odd((value) => asked(value)),
  );
  it(
    'its folder',
    odd((value) => asked({ ...MODEL, folder: value })),
  );
  it(
    'its processor',
    odd((value) => asked({ ...MODEL, processor: value })),
  );
  it.each(['isInput', 'read', 'textOf', 'input'])('%s of the processor', (name) =>
    odd((value) => asked({ ...MODEL, processor: { ...MODEL.processor, [name]: value } }))(),
  );
  it(
    'what it reads',
    odd((value) => asked({ ...MODEL, processor: { ...MODEL.processor, read: () => value } }), AWAITED),
  );
  it(
    'what it decodes',
    odd((value) => asked({ ...MODEL, decode: () => value }), AWAITED),
  );
  it(
    'the decoder',
    odd((value) => asked(MODEL, value)),
  );
  it(
    'what makes it',
    odd((value) => asked(MODEL, () => value)),
  );
  it(
    'the options',
    odd((value) => foretoken(MODEL, greedy(), value as never)),
  );
});

it('long stops are looked for in linear time', () => {
  const looks = (length: number): number => {
    const cut = new StopText([`${'a'.repeat(length)}b`, 'aab']);
    let count = 0;
    const original = String.prototype.charCodeAt;
    String.prototype.charCodeAt = function (at: number) {
      count++;
      return original.call(this, at);
    };
    try {
      for (let piece = 0; piece < length; piece++) cut.push('a');
    } finally {
      String.prototype.charCodeAt = original;
    }
    return count / length;
  };
  expect(looks(2_000)).toBe(looks(200));
  expect(looks(200)).toBe(1);
});
