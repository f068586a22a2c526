import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { loadModel, openModelFolder } from '@foretoken/models';
import { MAX_NESTING } from '@foretoken/models/internal';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { VOCABULARY, weightsOf } from '../../models/test/student-fixtures.js';
import { letterTokenizer } from '../../models/test/tiny-marian.js';
import { importModel } from '../src/index.js';
import { editJson } from './import-fixtures.js';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Tokens {
  readonly added_tokens: unknown[];
  readonly model: { vocab: Record<string, number>; unk_token: string; merges: unknown };
}

/** A value of JSON with one part at random exchanged, removed or doubled. */
function mutated(value: unknown): fc.Arbitrary<unknown> {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(
      '',
      'NFC',
      'Sequence',
      'Unigram',
      'BPE',
      '<unk>',
      '</s>',
      -1,
      VOCABULARY,
      1e9,
      null,
      [],
      {},
    ),
  );
  const paths: (readonly (string | number)[])[] = [];
  const visit = (part: unknown, path: readonly (string | number)[]): void => {
    paths.push(path);
    if (typeof part !== 'object' || part === null) return;
    for (const [key, inner] of Object.entries(part)) visit(inner, [...path, Array.isArray(part) ? Number(key) : key]);
  };
  visit(value, []);
  return fc.record({ path: fc.constantFrom(...paths.slice(1)), odd, remove: fc.boolean() }).map((change) => {
    const copy = structuredClone(value) as Record<string | number, unknown>;
    let owner = copy;
    for (const key of change.path.slice(0, -1)) owner = owner[key] as Record<string | number, unknown>;
    const last = change.path.at(-1) as string | number;
    if (change.remove) delete owner[last];
    else owner[last] = change.odd;
    return copy;
  });
}

describe('what import writes, load accepts', () => {
  test('whatever the tokenizer; and where it is refused, the old model stays', async () => {
    const weights = await weightsOf('marian');
    const target = join(await temporaryFolder(), 'model');
    await importModel(weights, target);
    const outcomes = { loaded: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(mutated(JSON.parse(letterTokenizer(VOCABULARY))), async (tokenizer) => {
        const text = JSON.stringify(tokenizer);
        await writeFile(join(weights, 'tokenizer.json'), text);
        try {
          await importModel(weights, target, { replace: true });
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
          expect(error.code).toMatch(/^(INVALID_MODEL_FOLDER|UNSUPPORTED_MODEL)$/);
          await openModelFolder(target);
          outcomes.refused++;
          return;
        }
        await using model = await loadModel(target, { probe: false });
        expect(await readFile(join(target, model.manifest.tokenizer as string), 'utf8')).toBe(text);
        outcomes.loaded++;
      }),
      { numRuns: 80, seed: 22 },
    );
    await using model = await loadModel(target, { probe: false });
    expect(model.tokenizer).toBeDefined();
    expect(outcomes.loaded).toBeGreaterThan(10);
    expect(outcomes.refused).toBeGreaterThan(10);
  });

  test.each<[string, (tokenizer: Tokens) => void]>([
    [
      'the end token',
      ({ model, added_tokens }) => {
        delete model.vocab['</s>'];
        added_tokens.splice(2, 1);
      },
    ],
    [
      'a token that its model names as unknown',
      ({ model }) => {
        model.unk_token = 'a';
      },
    ],
    [
      'a usable list of merges',
      ({ model }) => {
        model.merges = [['a', 'no such token']];
      },
    ],
  ])('a tokenizer without %s is refused as loading refuses it, and the old model stays', async (_, change) => {
    const weights = await weightsOf('marian');
    const target = join(await temporaryFolder(), 'model');
    await importModel(weights, target);
    const tokenizer = JSON.parse(letterTokenizer(VOCABULARY)) as Tokens;
    change(tokenizer);
    await writeFile(join(weights, 'tokenizer.json'), JSON.stringify(tokenizer));
    const run = importModel(weights, target, { replace: true });
    const refused = await run.then(
      () => false,
      (error: unknown) => ForetokenError.isInstance(error) && error.code === 'INVALID_MODEL_FOLDER',
    );
    // Either is right; a model that does not load is not.
    await using model = await loadModel(target, { probe: false });
    expect(model.manifest.tokenizer === 'tokenizer.json').toBe(refused);
  });

  test.each<[string, unknown]>([
    ['another JSON', { secret: 'hunter2' }],
    ['a list', []],
    ['added tokens of no kind', { ...(JSON.parse(letterTokenizer(VOCABULARY)) as object), added_tokens: [null] }],
    ['a token outside the vocabulary', JSON.parse(letterTokenizer(VOCABULARY + 1))],
  ])('%s in the place of a tokenizer, linked or not, is refused and not copied', async (_, content) => {
    const parent = await temporaryFolder();
    await writeFile(join(parent, 'other.json'), JSON.stringify(content));
    for (const family of ['marian', 'masked-lm'] as const) {
      const weights = await weightsOf(family);
      await rm(join(weights, 'tokenizer.json'));
      await symlink(join(parent, 'other.json'), join(weights, 'tokenizer.json'));
      const error = await refusal(() => importModel(weights, join(parent, 'model')));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'tokenizer.json' } });
      expect(await readdir(parent)).toEqual(['other.json']);
    }
  });
});

describe('values nested too deep', () => {
  const deep = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
  test.each([40, 100_000])('%i levels in any file are a refusal that can be printed', async (levels) => {
    for (const [file, field] of [
      ['config.json', 'd_model'],
      ['config.json', 'model_type'],
      ['config.json', 'activation_function'],
      ['generation_config.json', 'bad_words_ids'],
      ['tokenizer.json', 'model'],
      ['tokenizer.json', 'normalizer'],
    ] as const) {
      const weights = await weightsOf('marian');
      const path = join(weights, file);
      const known = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as object;
      const text = JSON.stringify({ ...known, [field]: 'HERE' });
      await writeFile(path, text.replace('"HERE"', `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`));
      const error = await refusal(() => importModel(weights, join(weights, 'model')));
      expect(error.code).toMatch(/^(INVALID_MODEL_FOLDER|UNSUPPORTED_MODEL)$/);
      expect(error.message.length).toBeLessThan(1000);
      expect(JSON.stringify(error.details).length).toBeLessThan(5000);
    }
  });

  test('training facts', async () => {
    const weights = await weightsOf('marian');
    const target = join(weights, 'model');
    const ring: Record<string, unknown> = {};
    ring.self = ring;
    for (const training of [deep(MAX_NESTING), deep(100_000), ring, { big: 1n }] as Record<string, unknown>[]) {
      const error = await refusal(() => importModel(weights, target, { training }));
      expect(error.code).toMatch(/^(INVALID_MODEL_FOLDER|INVALID_ARGUMENT)$/);
    }
    await importModel(weights, target, { training: deep(MAX_NESTING - 1) as Record<string, unknown> });
    // Someone else's manifest.
    const path = join(target, 'foretoken.json');
    const manifest = JSON.stringify({
      ...(JSON.parse(await readFile(path, 'utf8')) as object),
      training: { x: 'HERE' },
    });
    await writeFile(path, manifest.replace('"HERE"', '['.repeat(50_000) + ']'.repeat(50_000)));
    const error = await refusal(() => openModelFolder(target));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'foretoken.json' } });
    JSON.stringify(error.details);
  });
});

test.each<[string, unknown]>([
  ['ctc', 3],
  ['name', null],
  ['weights', 'int2'],
  ['training', []],
  ['replace', 'yes'],
  ['signal', {}],
  ['onNote', 'x'],
  ['dtype', 'float16'],
])('option %s = %j is refused', async (option, value) => {
  const weights = await weightsOf('marian');
  const error = await refusal(() => importModel(weights, join(weights, 'model'), { [option]: value }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option } });
  await editJson(weights, 'config.json', {});
});
