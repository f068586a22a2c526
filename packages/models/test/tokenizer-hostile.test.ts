import { ForetokenError } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SAFE_PATTERNS } from '../src/tokenizer/safe-patterns.js';
import { createTokenizer } from '../src/tokenizer/text-tokenizer.js';
import { refusal } from './folder-fixtures.js';
import { edited, TINY_VOCABULARY, tinyTokenizer } from './tokenizer-fixtures.js';

const options = { vocabulary: TINY_VOCABULARY, sourceLength: 16 };
const create = (file: unknown) => createTokenizer(JSON.stringify(file), options);
const replace = (pattern: unknown, content = '') => ({ type: 'Replace', pattern, content });
const nested = (depth: number): unknown =>
  depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };

describe('regular expressions', () => {
  test.each(['(a+)+$', '(?:a|a)*b', '.*.*.*=', '\\s+$', '', "'s|'t|(a+)+$"])(
    '%j is refused wherever it stands',
    async (Regex) => {
      const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
      for (const [path, value, field] of [
        ['normalizer', replace({ Regex }), 'normalizer.pattern.Regex'],
        ['normalizer.normalizers.1', replace({ Regex }), 'normalizer.normalizers[1].pattern.Regex'],
        ['normalizer', replace({ String: 'a', Regex }), 'normalizer.pattern.Regex'],
        ['pre_tokenizer', split, 'pre_tokenizer.pattern.Regex'],
        [
          'pre_tokenizer',
          { type: 'Sequence', pretokenizers: [null, split] },
          'pre_tokenizer.pretokenizers[1].pattern.Regex',
        ],
        ['decoder', { type: 'Sequence', decoders: [replace({ Regex })] }, 'decoder.decoders[0].pattern.Regex'],
      ] as const) {
        const error = await refusal(() => create(edited(path, value)));
        expect(error).toMatchObject({
          code: 'UNSUPPORTED_MODEL',
          details: { file: 'tokenizer.json', field, received: Regex },
        });
        expect(error.message).toContain(field);
      }
    },
  );

  test('every allowed expression copes with long repetitions of any kind', async () => {
    const runs = ['a', ' ', '\n', '1', "'", '!', ' a', ' \n', "a'", '1a', '\r', '☃'].map((unit) =>
      unit.repeat(60_000 / unit.length),
    );
    for (const Regex of SAFE_PATTERNS) {
      const file = edited('pre_tokenizer', { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
      const tokenizer = await createTokenizer(JSON.stringify(file), {
        vocabulary: TINY_VOCABULARY,
        sourceLength: 65_536,
      });
      for (const run of runs) expect(tokenizer.encode(`x${run}x`).length).toBeGreaterThan(1);
    }
  });
});

describe('parts that would take time or memory without bound', () => {
  const twice = replace({ String: 'a' }, 'aa');
  test.each<[string, string, unknown, string]>([
    ['text doubled 20 times', 'normalizer', { type: 'Sequence', normalizers: Array(20).fill(twice) }, 'normalizer'],
    [
      'an empty pattern, ten times',
      'normalizer',
      { type: 'Sequence', normalizers: Array(10).fill(replace({ String: '' }, 'x')) },
      'normalizer',
    ],
    [
      'decoded text doubled',
      'decoder',
      { type: 'Sequence', decoders: Array(20).fill({ type: 'BPEDecoder', suffix: '' }) },
      'decoder.decoders[8]',
    ],
    [
      'an empty word mark',
      'decoder',
      { type: 'Sequence', decoders: Array(20).fill({ type: 'Metaspace', replacement: '' }) },
      'decoder.decoders[8]',
    ],
    ['a long replacement', 'normalizer', replace({ String: 'a' }, 'x'.repeat(65)), 'normalizer.content'],
    ['a long prefix', 'normalizer', { type: 'Prepend', prepend: 'x'.repeat(1e6) }, 'normalizer.prepend'],
    ['pieces of no length', 'pre_tokenizer', { type: 'FixedLength', length: 0 }, 'pre_tokenizer.length'],
    ['pieces of negative length', 'pre_tokenizer', { type: 'FixedLength', length: -1 }, 'pre_tokenizer.length'],
    ['deep nesting', 'normalizer', nested(65), 'normalizer'],
    [
      'many parts',
      'normalizer',
      { type: 'Sequence', normalizers: Array(65).fill({ type: 'NFC' }) },
      'normalizer.normalizers[63]',
    ],
    [
      'a long template',
      'post_processor',
      { type: 'TemplateProcessing', single: Array(1e5).fill({ Sequence: { id: 'A', type_id: 0 } }) },
      'post_processor.single',
    ],
    [
      'words of any length',
      'model',
      { type: 'WordPiece', unk_token: 'a', vocab: { a: 1 }, max_input_chars_per_word: 1e9 },
      'model.max_input_chars_per_word',
    ],
    ['a long Unigram token', 'model', { type: 'Unigram', unk_id: 0, vocab: [['x'.repeat(65), 0]] }, 'model.vocab'],
    ['a long token', 'model.vocab', { ['x'.repeat(1025)]: 3 }, 'model.vocab'],
    ['a long added token', 'added_tokens.0.content', 'x'.repeat(257), 'added_tokens[0].content'],
  ])('%s', async (_, path, value, field) => {
    const error = await refusal(() => create(edited(path, value)));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'tokenizer.json' } });
    expect(String(error.details.field).startsWith(field)).toBe(true);
    expect(error.message).toContain(field);
  });
});

describe('parts that do not fit', () => {
  test.each<[string, unknown, string]>([
    ['added_tokens', undefined, 'added_tokens'],
    ['added_tokens.1.id', 31, 'added_tokens[1].id'],
    ['added_tokens.1.id', -1, 'added_tokens[1].id'],
    ['added_tokens.1.id', 2 ** 40, 'added_tokens[1].id'],
    ['added_tokens.0.content', '', 'added_tokens[0].content'],
    ['added_tokens.0', null, 'added_tokens[0]'],
    ['normalizer', undefined, 'normalizer'],
    ['normalizer', 'NFC', 'normalizer'],
    ['normalizer.normalizers', {}, 'normalizer.normalizers'],
    ['normalizer.normalizers.1.pattern', '  ', 'normalizer.normalizers[1].pattern'],
    ['decoder', [], 'decoder'],
    ['post_processor.single', [], 'post_processor.single'],
    ['post_processor.single.1', { SpecialToken: {} }, 'post_processor.single[1].SpecialToken.id'],
    ['post_processor', { type: 'BertProcessing', cls: ['a', 1] }, 'post_processor.sep'],
    ['model', null, 'model'],
    ['model.vocab', [], 'model.vocab'],
    ['model.vocab.a', 31, 'model.vocab["a"]'],
    ['model.vocab.a', '4', 'model.vocab["a"]'],
    ['model.merges', undefined, 'model.merges'],
    ['model.merges.3', 'a b', 'model.merges[3]'],
    ['model.merges.3', ['a', 'b', 'c'], 'model.merges[3]'],
    ['model.unk_token', 7, 'model.unk_token'],
    ['model', { type: 'Unigram', vocab: [['a', 0]] }, 'model.unk_id'],
    ['model', { type: 'Unigram', unk_id: 0, vocab: [['a', '0']] }, 'model.vocab[0]'],
    ['model', { type: 'Unigram', unk_id: 0, vocab: Array(32).fill(['a', 0]) }, 'model.vocab'],
    ['model', { type: 'WordPiece', unk_token: 'b', vocab: { a: 1 } }, 'model.unk_token'],
  ])('%s = %j names the field', async (path, value, field) => {
    const error = await refusal(() => create(edited(path, value)));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'tokenizer.json', field } });
    expect(error.message).toContain(field);
  });

  test.each<[string, unknown, string]>([
    ['normalizer.normalizers.0.type', 'Evil', 'normalizer.normalizers[0].type'],
    ['pre_tokenizer.type', undefined, 'pre_tokenizer.type'],
    ['model.type', 'Magic', 'model.type'],
  ])('an unknown %s is not supported', async (path, value, field) => {
    const error = await refusal(() => create(edited(path, value)));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field } });
  });

  test("a vocabulary that is not the model's is refused", async () => {
    for (const [change, field] of [
      [{ size: 30 }, 'model.vocab'],
      [{ unknownTokenId: 5 }, 'vocabulary.unknownTokenId'],
      [{ size: 40, endTokenId: 35 }, 'vocabulary.endTokenId'],
    ] as const) {
      const vocabulary = { ...TINY_VOCABULARY, ...change };
      const error = await refusal(() => createTokenizer(JSON.stringify(tinyTokenizer()), { ...options, vocabulary }));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field } });
    }
  });

  test('a token made without an id is a typed error, not a wrong id', async () => {
    const file = tinyTokenizer();
    const template = file.post_processor as { single: unknown[] };
    template.single[1] = { SpecialToken: { id: '<nowhere>', type_id: 0 } };
    (file.model as Record<string, unknown>).unk_token = null;
    const vocabulary = { size: 31, endTokenId: 2 };
    const tokenizer = await createTokenizer(JSON.stringify(file), { vocabulary, sourceLength: 16 });
    expect(await refusal(() => tokenizer.encode('a'))).toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
  });

  test('bad JSON names its place and the file', async () => {
    const error = await refusal(() => createTokenizer('{"model": [1,}', { ...options, file: 'words.json' }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'words.json' } });
    expect(error.message).toContain('line 1, column 14');
  });

  test('a bad source length is refused', async () => {
    for (const sourceLength of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
      const error = await refusal(() => createTokenizer(JSON.stringify(tinyTokenizer()), { ...options, sourceLength }));
      expect(error.code).toBe('INVALID_ARGUMENT');
    }
  });

  test('any JSON in any place: a tokenizer that encodes, or a typed refusal', async () => {
    const places = [
      'added_tokens',
      'added_tokens.2',
      'added_tokens.2.content',
      'normalizer',
      'normalizer.normalizers',
      'normalizer.normalizers.0',
      'normalizer.normalizers.1.pattern',
      'normalizer.normalizers.1.content',
      'pre_tokenizer',
      'pre_tokenizer.replacement',
      'pre_tokenizer.prepend_scheme',
      'pre_tokenizer.str_rep',
      'post_processor',
      'post_processor.single',
      'post_processor.single.1',
      'decoder',
      'decoder.replacement',
      'model',
      'model.vocab',
      'model.vocab.a',
      'model.merges',
      'model.merges.2',
      'model.unk_token',
      'model.fuse_unk',
      'model.byte_fallback',
      'model.end_of_word_suffix',
      'model.continuing_subword_suffix',
      'model.ignore_merges',
    ];
    const known = [
      'NFC',
      'Strip',
      'Prepend',
      'Metaspace',
      'ByteLevel',
      'Digits',
      'BertNormalizer',
      'WordPiece',
      'CTC',
      'Sequence',
    ];
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record({
        type: fc.constantFrom(...known),
        strip_left: fc.jsonValue(),
        prepend: fc.jsonValue(),
        cleanup: fc.boolean(),
      }),
    );
    const outcomes = { encoded: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), value, async (place, part) => {
        try {
          const tokenizer = await create(edited(place, part));
          tokenizer.decode(tokenizer.encode('a line, steht in </s> der'));
          outcomes.encoded++;
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
          outcomes.refused++;
        }
      }),
      { numRuns: 1500 },
    );
    expect(outcomes.encoded).toBeGreaterThan(50);
    expect(outcomes.refused).toBeGreaterThan(500);
  });
});
