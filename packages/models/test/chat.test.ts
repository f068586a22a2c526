import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chat, type LoadedModel, loadModel } from '../src/index.js';
import { ChatTemplate } from '../src/processors/chat-template.js';
import { causalFolder, causalWeights } from './causal-fixtures.js';
import { refusal, temporaryFolder } from './folder-fixtures.js';

const GGUF = fileURLToPath(new URL('../../importers/test/goldens/gguf/llama-byte-level.gguf', import.meta.url));
const HELLO: Chat = [{ role: 'user', content: 'hello' }];
const PROMPT = '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n';

describe('a model with a chat template', () => {
  let model: LoadedModel;
  beforeAll(async () => {
    const folder = join(await temporaryFolder(), 'chat');
    await importModel(GGUF, folder);
    model = await loadModel(folder, { probe: false });
  });
  afterAll(() => model.dispose());

  it('answers a conversation as it goes on with the text that its template makes', async () => {
    const options = { maxNewTokens: 12 };
    const answer = await model.decode(HELLO, greedy(), options);
    expect(answer.source).toEqual(model.tokenizer.encode(PROMPT, 'part'));
    const text = await model.decode(PROMPT, greedy(), options);
    expect(answer.tokenIds).toEqual(text.tokenIds);
    const pieces: string[] = [];
    for await (const piece of model.stream(HELLO, greedy(), options)) pieces.push(piece);
    expect(pieces.join('')).toBe(answer.text);
  });

  it('takes conversations and texts together', async () => {
    const both: Chat = [{ role: 'system', content: 'Rhyme.' }, ...HELLO];
    const results = await model.decode([HELLO, 'The small', both], greedy(), { maxNewTokens: 3 });
    const [first, , third] = results.map(({ source }) => model.tokenizer.decode(source));
    expect(first).toBe(PROMPT.replaceAll(/<\|im_(start|end)\|>/g, ''));
    expect(third).toBe('system\nRhyme.\nuser\nhello\nassistant\n');
  });

  it.each([
    [[{ role: 'user' }], 'message 0.content'],
    [[{ role: 'user', content: 3 }], 'message 0.content'],
    [[{ content: 'hello' }], 'message 0.role'],
    [[{ role: ' ', content: 'hello' }], 'message 0.role'],
    [[...HELLO, { role: 'user', content: 'x', name: 'me' }], 'message 1.name'],
  ])('refuses %j, naming what is wrong', async (chat, option) => {
    const error = await refusal(() => model.decode(chat as Chat, greedy()));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option } });
  });

  it.each([[{ role: 'user', content: 'x' }], [[3]], [[HELLO, 3]]])('takes no %j', async (input) => {
    await expect(model.decode(input as never, greedy())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('says what it has', () => {
    expect(model.description.facts).toContainEqual(['chat', 'by its template']);
  });
});

it('a model without a template takes texts alone, and says so', async () => {
  await using model = await loadModel(await causalFolder('llama'), { probe: false });
  const error = await refusal(() => model.decode(HELLO, greedy()));
  expect(error).toMatchObject({ code: 'UNSUPPORTED_CAPABILITY', details: { capability: 'chat' } });
});

describe('a folder of transformers', () => {
  const imported = async (files: Readonly<Record<string, unknown>>) => {
    const weights = join(await temporaryFolder(), 'weights');
    await cp(causalWeights('llama'), weights, { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(weights, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    const folder = join(await temporaryFolder(), 'model');
    await importModel(weights, folder);
    return loadModel(folder, { probe: false });
  };
  const SIMPLE = '{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}';

  it.each([
    ['in tokenizer_config.json', { 'tokenizer_config.json': { chat_template: SIMPLE, bos_token: '<s>' } }],
    [
      'among several',
      {
        'tokenizer_config.json': {
          chat_template: [
            { name: 'tools', template: 'x' },
            { name: 'default', template: SIMPLE },
          ],
          bos_token: { content: '<s>' },
        },
      },
    ],
    [
      'in a file of its own, which counts',
      { 'chat_template.jinja': SIMPLE, 'tokenizer_config.json': { chat_template: 'x', bos_token: '<s>' } },
    ],
  ])('has its template %s', async (_, files) => {
    await using model = await imported(files);
    const { source } = await model.decode(HELLO, greedy(), { maxNewTokens: 1 });
    // The template says <s> itself, so the tokenizer does not say it again.
    expect(source).toEqual(model.tokenizer.encode('hello', 'prompt'));
    expect(source[0]).toBe(39);
  });

  it.each([
    ['tokenizer_config.json', { chat_template: 7 }, 'chat_template'],
    ['tokenizer_config.json', { chat_template: [{ name: 'rag', template: 'x' }] }, 'chat_template'],
    ['tokenizer_config.json', { chat_template: 'x', eos_token: 3 }, 'eos_token'],
    ['tokenizer_config.json', [], 'the whole file'],
    ['chat_template.jinja', '{% for %}', 'chat'],
    ['chat_template.jinja', 'x'.repeat(262_145), 'chat'],
  ])('with a wrong %s %j is refused', async (file, content, field) => {
    const error = await refusal(() => imported({ [file]: content }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field } });
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4711\n', 'Git LFS pointer'],
    ['\n<!doctype html><html><head><title>Sign in</title></head></html>', 'a web page'],
    ['', 'is empty'],
  ])('with %j for a template is refused: it would become every prompt', async (content, words) => {
    const error = await refusal(() => imported({ 'chat_template.jinja': content }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'chat_template.jinja' } });
    expect(error.message).toContain(words);
  });
});

// What Jinja2 3.1.6 gives, with the settings of transformers.
it.each(['\n', '\r\n', '\r'])('a template whose lines end with %j says what Jinja makes of it', (end) => {
  const template = [
    '{% for m in messages %}',
    '  <|{{ m.role }}|>',
    '{{ m.content }}',
    '{% endfor %}',
    '',
    '{% if add_generation_prompt %}',
    '<|assistant|>',
    '{% endif %}',
    '',
  ].join(end);
  expect(new ChatTemplate(template, {}, (cause) => cause as Error).text(HELLO)).toBe(
    '  <|user|>\nhello\n\n<|assistant|>\n',
  );
});

// What Jinja2 3.1.6 gives, with the settings of transformers, on the first Thursday of 2026.
describe('a template says what transformers makes of it', () => {
  const now = () => new Date(2026, 0, 1, 15, 4, 9);
  const text = (template: string, content: string): string =>
    new ChatTemplate(template, {}, (cause) => cause as Error, now).text([{ role: 'user', content }]);

  it.each([
    ["{{ messages[0].content.lstrip('\\n') }}", '\n\n a \n', ' a \n'],
    ["{{ messages[0].content.rstrip('\\n ') }}", ' a \n\t \n', ' a \n\t'],
    ["{{ messages[0].content.strip('xy') }}", 'yxaxbx', 'axb'],
    ["{{ messages[0].content.strip('x') }}", 'xx', ''],
    ['{{ messages[0].content.strip(none) }}', ' a ', 'a'],
    ['[{{ messages[0].content.strip() }}]', '\x1c\u0085 a\ufeff\u3000', '[a\ufeff]'],
    ['[{{ messages[0].content | trim }}]', '\ufeff a\x1f\n', '[\ufeff a]'],
    ["{{ messages[0].content | trim('x') }}", 'xax', 'a'],
    ["{{ messages[0].content.split('</t>')[-1].lstrip('\\n').strip('.') }}", 'b</t>\n .c.', ' .c'],
    ['{{ messages[0].content.capitalize() }}', 'hELLO World', 'Hello world'],
    ['{{ messages[0].content | capitalize }}', 'éCOLE', 'École'],
    ['{{ messages[0].content.title() }}', "hELLO it's 3rd", "Hello It'S 3Rd"],
    ["{{ 'none' if tools is none else 'some' }}{{ 1 if tools is defined }}", 'x', 'none1'],
    ['{% if documents is not none and documents | length > 0 %}y{% endif %}{{ 1 if documents is none }}', 'x', '1'],
    [
      "{{ strftime_now('%d %b %Y, %A %B %-d, %H:%M:%S %I %p %y %%') }}",
      'x',
      '01 Jan 2026, Thursday January 1, 15:04:09 03 PM 26 %',
    ],
    ["{% set f = 'x' %}{{ messages[0]['content'].strip(f) ~ messages | length }}", 'xax', 'a1'],
  ])('%s', (template, content, expected) => {
    expect(text(template, content)).toBe(expected);
  });

  it.each(["{{ strftime_now('%Q') }}", '{{ messages[0].content.strip(3) }}'])('%s is refused', async (template) => {
    await expect(async () => text(template, 'x')).rejects.toThrow(/not known|takes a text/);
  });
});

describe('a template that a stranger wrote', () => {
  const opened = (template: string): ChatTemplate =>
    new ChatTemplate(
      template,
      {},
      (cause) => new ForetokenError('INVALID_MODEL_FOLDER', String(cause), { field: 'chat' }),
    );
  const textOf = (template: string, chat: Chat = HELLO): string => opened(template).text(chat);

  it.each([
    ['ranges', '{% for i in range(300000000) %}x{% endfor %}'],
    ['backward ranges', '{% for i in range(0, -300000000, -1) %}x{% endfor %}'],
    ['ranges without steps', '{% for i in range(1, 10, 0) %}x{% endfor %}'],
    ['loops in loops', `${'{% for i in range(9999) %}'.repeat(4)}x${'{% endfor %}'.repeat(4)}`],
    [
      'doubling texts',
      "{% set n = namespace(t='x') %}{% for i in range(60) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}",
    ],
    ['unknown filters', '{{ messages | no_such_filter }}'],
    ['calls of nothing', '{{ nothing() }}'],
  ])('ends with an error for %s', async (_, template) => {
    const error = await refusal(() => textOf(template));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'chat' } });
  });

  it.each(['{% if %}', '{{', `${'('.repeat(50_000)}`, `{{ ${'('.repeat(20_000)} }}`])(
    'is refused when it is opened, if it is none: %#',
    async (template) => {
      if (template.startsWith('((')) return expect(textOf(template)).toBe(template);
      const error = await refusal(() => opened(template));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'chat' } });
    },
  );

  it.each([' ', '\n', '\t \n'])(
    'is refused for a long run of %j, which would take minutes to be read',
    async (blanks) => {
      const error = await refusal(() => opened(`a${blanks.repeat(250_000 / blanks.length)}b`));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'chat' } });
      const bounded = `a${' '.repeat(256)}b`;
      expect(textOf(bounded)).toBe(bounded);
    },
  );

  it('may refuse a conversation, in its own words', async () => {
    const template = "{{ raise_exception('Roles must alternate') }}";
    const error = await refusal(() => textOf(template));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('Roles must alternate') });
  });

  it('reads a long conversation', () => {
    const chat = Array.from({ length: 500 }, () => HELLO).flat();
    const template = "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] | trim }}{% endfor %}";
    expect(textOf(template, chat)).toBe('<user>hello'.repeat(500));
  });
});
