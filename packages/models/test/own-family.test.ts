import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { greedy } from '@foretoken/greedy';
import { scriptedModel } from '@foretoken/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModelFolder } from '../src/folder/write-folder.js';
import {
  loadModel,
  type ModelFamily,
  type ModelManifest,
  manifestSchema,
  openModelFolder,
  registerFamily,
  textProcessor,
} from '../src/index.js';
import { TINY_VOCABULARY, tinyTokenizer } from './tokenizer-fixtures.js';

/** A model that shifts every token of its source by a number in its manifest: no graph, one file of its own. */
interface ShiftManifest extends ModelManifest {
  readonly family: 'shift';
  readonly shift: number;
  readonly table: string;
}

const { size, endTokenId } = TINY_VOCABULARY;

const shiftFamily: ModelFamily<ShiftManifest> = {
  name: 'shift',
  schema: manifestSchema<ShiftManifest>({ family: v.literal('shift'), shift: v.number(), table: v.string() }),
  claims: ({ table }) => ({ tokenIds: {}, candidates: {}, graphs: {}, others: { table } }),
  checkAgreement({ shift }, refuse) {
    if (shift < 1) refuse('shift', shift, 'at least 1');
  },
  async checkGraphs() {},
  async open({ folder, manifest }) {
    const [first = 0] = await folder.readBytes(manifest.table);
    const model = scriptedModel({
      vocabularySize: size,
      endTokenId,
      score: (source, output) => {
        const token = source[output.length] ?? endTokenId;
        const next = token === endTokenId ? endTokenId : (token + manifest.shift * first) % size;
        return Array.from({ length: size }, (_, id) => (id === next ? 1 : 0));
      },
    });
    return [{ kind: 'autoregressive', model }];
  },
  processor: ({ tokenizer }) => textProcessor(tokenizer),
  describe: ({ shift }) => ({
    parts: [{ kind: 'autoregressive', variant: 'exact' }],
    outputs: ['argmax'],
    outputsOf: 'step',
    architecture: `a shift by ${shift}`,
    facts: [],
  }),
};

describe('a family of one’s own', () => {
  let folder: string;
  const content = (shift: number): Omit<ShiftManifest, 'files'> => ({
    format: 'foretoken-model',
    formatVersion: 1,
    name: 'shift',
    description: '',
    licence: 'CC0-1.0',
    family: 'shift',
    tokenizer: 'tokenizer.json',
    vocabulary: TINY_VOCABULARY,
    limits: { sourceLength: 32, targetLength: 32 },
    shift,
    table: 'table.bin',
  });
  const files = new Map([
    ['tokenizer.json', new TextEncoder().encode(JSON.stringify(tinyTokenizer()))],
    ['table.bin', Uint8Array.of(1)],
  ]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foretoken-family-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is not known before it is registered', async () => {
    await expect(writeModelFolder(join(folder, 'early'), { ...content(1), shift: 2 }, files)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
    });
  });

  it('is written, verified, loaded and decoded like those that come with the package', async () => {
    registerFamily(shiftFamily);
    const target = join(folder, 'model');
    await writeModelFolder(target, content(3), files);
    expect((await openModelFolder(target)).manifest).toMatchObject({ family: 'shift', shift: 3 });
    const model = await loadModel(target);
    expect(model.description.architecture).toBe('a shift by 3');
    const source = Int32Array.of(4, 5, 6, endTokenId);
    const { results } = await (await import('@foretoken/core')).collect(
      greedy().decode(model.part('autoregressive'), { sources: [source] }),
    );
    expect([...(results[0]?.best.tokenIds ?? [])]).toEqual([7, 8, 9]);
    expect(() => model.speculation()).toThrowError(/CTC/);
    await model.dispose();
  });

  it('without a tokenizer says where one must come from: what is put into the folder is not read', async () => {
    const { tokenizer: _, ...withoutText } = content(3);
    const target = join(folder, 'without-text');
    await writeModelFolder(target, withoutText, new Map([['table.bin', Uint8Array.of(1)]]));
    await writeFile(join(target, 'tokenizer.json'), JSON.stringify(tinyTokenizer()));
    const error = await loadModel(target).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      details: { folder: target, capability: 'tokenizer' },
    });
    expect(String(error)).toMatch(/names no tokenizer.*is not read.*import them again: foretoken import/);
    const processor = textProcessor({ encode: () => new Int32Array(), decode: () => '', countUnknown: () => 0 });
    await using model = await loadModel(target, { processor });
    expect(model.part('autoregressive')).toBeDefined();
  });

  it('keeps its own rules, and those of all families', async () => {
    await expect(writeModelFolder(join(folder, 'low'), content(0), files)).rejects.toThrow(/shift is 0/);
    await expect(
      writeModelFolder(join(folder, 'lost'), { ...content(1), table: 'other.bin' } as never, files),
    ).rejects.toThrow(/table is .*other\.bin/);
    for (const [field, wrong] of [
      ['limits', { sourceLength: 0, targetLength: 32 }],
      ['vocabulary', { size: 1 }],
      ['licence', 7],
      ['shift', 'three'],
      ['shfit', 3],
    ] as const) {
      await expect(
        writeModelFolder(join(folder, 'wrong'), { ...content(1), [field]: wrong } as never, files),
      ).rejects.toThrow(new RegExp(`foretoken.json: ${field}`));
    }
  });

  it('may be an object of a class, whose methods are its prototype’s', async () => {
    class Family {
      readonly name = 'of-a-class';
      readonly schema = manifestSchema<ModelManifest>({ family: v.literal('of-a-class') });
      readonly #claims = { tokenIds: {}, candidates: {}, graphs: {}, others: {} };
      claims() {
        return this.#claims;
      }
      async checkGraphs() {}
      readonly open = shiftFamily.open as unknown as ModelFamily['open'];
      readonly processor = shiftFamily.processor as unknown as ModelFamily['processor'];
      describe() {
        return shiftFamily.describe({ shift: 1 } as ShiftManifest);
      }
    }
    registerFamily(new Family());
    const { shift: _shift, table: _table, ...plain } = content(1);
    const target = join(folder, 'of-a-class');
    await writeModelFolder(target, { ...plain, family: 'of-a-class' }, files);
    expect((await openModelFolder(target)).manifest.family).toBe('of-a-class');
  });

  it('is told by code what it answers wrongly', async () => {
    const wrong: [name: string, change: object, message: RegExp][] = [
      [
        'claims-nothing',
        { claims: () => undefined },
        /family\.claims returns must be an object with tokenIds, candidates/,
      ],
      ['claims-half', { claims: () => ({ tokenIds: {} }) }, /family\.claims returns/],
      ['claims-later', { claims: async () => ({}) }, /family\.claims returns .*promise/],
      [
        'describes-nothing',
        { describe: () => undefined },
        /family\.describe returns must be an object with parts, outputs, facts/,
      ],
      ['describes-half', { describe: () => ({ parts: [] }) }, /family\.describe returns/],
      [
        'writes-nothing',
        { processor: async (context: never) => ({ ...(await shiftFamily.processor(context)), write: () => 5 }) },
        /processor\.write returns must be an object, such as \{ text \}/,
      ],
    ];
    for (const [name, change, message] of wrong) {
      const { shift: _shift, ...plain } = content(1);
      const schema = manifestSchema<ModelManifest & { table: string }>({ family: v.literal(name), table: v.string() });
      registerFamily({ ...shiftFamily, name, schema, checkAgreement: undefined, ...change } as never);
      const used = async () => {
        const target = join(folder, name);
        await writeModelFolder(target, { ...plain, family: name } as never, files);
        await using model = await loadModel(target);
        await model.decode('a', greedy());
      };
      await expect(used(), name).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      });
    }
  });

  it('is refused under a name that is taken, and may be registered twice', () => {
    expect(() => registerFamily({ ...shiftFamily, name: 'marian' })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => registerFamily(shiftFamily)).not.toThrow();
  });
});
