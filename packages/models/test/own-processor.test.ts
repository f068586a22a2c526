import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CtcLattice, ForetokenError, type LatticeModel } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { ctcGreedy } from '@foretoken/one-shot';
import { scriptedModel } from '@foretoken/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModelFolder } from '../src/folder/write-folder.js';
import {
  loadModel,
  type ModelFamily,
  type ModelManifest,
  manifestSchema,
  type Processor,
  textProcessor,
} from '../src/index.js';
import { TINY_VOCABULARY, tinyTokenizer } from './tokenizer-fixtures.js';

/** A second of sound, or a part of one: `[time, 2]`, an array of frames. */
type Frames = readonly Float32Array[];

interface SpokenOutput {
  readonly text: string;
  /** Seconds at which each token begins. */
  readonly seconds: readonly number[];
}

/** Manifest of a model that hears in each frame the token that its first value names, or nothing. */
interface SoundManifest extends ModelManifest {
  readonly family: 'sound';
  readonly tokenizer: string;
  readonly frameSeconds: number;
}

const { size, endTokenId } = TINY_VOCABULARY;
const BLANK = size;

function hearing(frames: Frames): CtcLattice {
  const tokenIds = Int32Array.from(frames, ([heard = 0]) => (heard === 0 ? BLANK : heard));
  return {
    kind: 'ctc',
    frames: frames.length,
    k: 1,
    blankId: BLANK,
    tokenIds,
    logProbs: new Float32Array(frames.length).fill(-0.1),
    blankLogProbs: Float32Array.from(tokenIds, (id) => (id === BLANK ? -0.1 : -3)),
  };
}

const soundModel: LatticeModel<Frames> = {
  vocabulary: TINY_VOCABULARY,
  supports: { kind: 'ctc', maxCandidates: 1 },
  emit: async (sources) => sources.map(hearing),
};

const soundFamily: ModelFamily<SoundManifest, Frames, SpokenOutput, Frames> = {
  name: 'sound',
  schema: manifestSchema<SoundManifest>({ family: v.literal('sound'), frameSeconds: v.number() }),
  claims: () => ({ tokenIds: {}, candidates: {}, graphs: {}, others: {} }),
  async checkGraphs() {},
  open: async () => [{ kind: 'lattice', model: soundModel }],
  processor: ({ manifest, tokenizer }) => ({
    input: 'an array of frames of two numbers',
    isInput: (value): value is Frames =>
      Array.isArray(value) && value.every((frame) => frame instanceof Float32Array && frame.length === 2),
    read: (frames) => {
      if (frames.length > 0) return { source: frames };
      throw new ForetokenError('EMPTY_SOURCE', 'There is no frame; at least one is required.', {});
    },
    write: ({ tokenIds, alignment }) => ({
      text: tokenizer.decode(tokenIds),
      seconds: Array.from(alignment?.firstFrames ?? [], (frame) => frame * manifest.frameSeconds),
    }),
    textOf: (tokenIds) => tokenizer.decode(tokenIds),
  }),
  describe: () => ({
    parts: [{ kind: 'lattice', lattice: 'ctc', variant: 'exact' }],
    outputs: ['argmax'],
    outputsOf: 'frame',
    architecture: 'an ear',
    facts: [],
  }),
};

/** Goes on with a series of whole numbers, each one more than the one before: no tokenizer, no text. */
const seriesFamily: ModelFamily<ModelManifest, number, { readonly values: readonly number[] }> = {
  ...soundFamily,
  name: 'series',
  schema: manifestSchema<ModelManifest>({ family: v.literal('series') }),
  open: async () => {
    const model = scriptedModel({
      vocabularySize: size,
      endTokenId,
      score: ([first = 0], output) => {
        const next = (output.at(-1) ?? first) + 1;
        return Array.from({ length: size }, (_, id) => (id === next ? 1 : 0));
      },
    });
    return [{ kind: 'autoregressive', model }];
  },
  processor: () => ({
    input: 'a number',
    isInput: (value) => typeof value === 'number',
    read: async (value) => ({ source: Int32Array.of(value) }),
    write: ({ tokenIds }) => ({ values: [...tokenIds] }),
  }),
};

const frames = (...heard: number[]): Frames => heard.map((id) => Float32Array.of(id, 0.5));

describe('a family whose sources are no text', () => {
  let parent: string;
  let sound: string;
  let series: string;
  const content = (name: string) => ({
    format: 'foretoken-model' as const,
    formatVersion: 1 as const,
    name,
    description: '',
    licence: 'CC0-1.0',
    vocabulary: TINY_VOCABULARY,
    limits: { sourceLength: 32, targetLength: 8 },
  });
  const tokenizer = new TextEncoder().encode(JSON.stringify(tinyTokenizer()));

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'foretoken-processor-'));
    [sound, series] = [join(parent, 'sound'), join(parent, 'series')];
    const { registerFamily } = await import('../src/index.js');
    registerFamily(soundFamily);
    registerFamily(seriesFamily);
    const heard = { ...content('ear'), family: 'sound', tokenizer: 'tokenizer.json', frameSeconds: 0.5 };
    await writeModelFolder(sound, heard, new Map([['tokenizer.json', tokenizer]]));
    await writeModelFolder(series, { ...content('counter'), family: 'series' }, new Map());
  });
  afterAll(() => rm(parent, { recursive: true }));

  it('turns arrays of frames into text and times, alone, together and in pieces', async () => {
    await using model = await loadModel(sound, { family: soundFamily });
    const spoken = frames(0, 4, 4, 0, 0, 5);
    const { text, seconds, source, statistics } = await model.decode(spoken, ctcGreedy({ alignments: true }));
    expect(text).toBe(model.tokenizer.decode([4, 5]));
    expect(seconds).toEqual([0.5, 2.5]);
    expect(source).toBe(spoken);
    expect(statistics.tokens).toBe(2);
    const both = await model.decode([spoken, frames(6)], ctcGreedy());
    expect(both.map((result) => [...result.tokenIds])).toEqual([[4, 5], [6]]);
    expect(both[1]).toMatchObject({ text: model.tokenizer.decode([6]), seconds: [], unknownTokens: 0 });
    let streamed = '';
    for await (const piece of model.stream(spoken, ctcGreedy())) streamed += piece;
    expect(streamed).toBe(text);
    const stopped = await model.decode(frames(4, 5, 6), ctcGreedy(), { stopStrings: [model.tokenizer.decode([4, 5])] });
    expect(stopped.finishReason).toBe('stop-string');
  });

  it('refuses what is no array of frames, in its own words', async () => {
    await using model = await loadModel(sound, { family: soundFamily });
    for (const input of ['a text', 3, [Float32Array.of(1)], [spokenText()], [frames(1), 'a text'], undefined]) {
      await expect(model.decode(input as never, ctcGreedy())).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('an array of frames of two numbers'),
      });
      const pieces = model.stream(input as never, ctcGreedy())[Symbol.asyncIterator]();
      await expect(pieces.next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(model.decode([], ctcGreedy())).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
  });

  it('needs no tokenizer, and no text to come out', async () => {
    await using model = await loadModel(series, { family: seriesFamily });
    expect((await model.decode(4, greedy(), { maxNewTokens: 3 })).values).toEqual([5, 6, 7]);
    const many = await model.decode([3, 5], greedy(), { maxNewTokens: 2 });
    expect(many.map(({ values }) => values)).toEqual([
      [4, 5],
      [6, 7],
    ]);
    expect(() => model.tokenizer).toThrowError(expect.objectContaining({ code: 'UNSUPPORTED_CAPABILITY' }));
    const pieces = model.stream(4, greedy())[Symbol.asyncIterator]();
    await expect(pieces.next()).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
    await expect(model.decode(4, greedy(), { stopStrings: ['a'] })).rejects.toThrow(/stopStrings/);
  });

  it('is refused where another family was asked for', async () => {
    await expect(loadModel(series, { family: soundFamily })).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { received: 'series', required: 'sound' },
    });
    await expect(loadModel(series, { family: 'series' as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

const spokenText = (): string => 'hello';

describe('a processor of one’s own', () => {
  const folder = new URL('../../model-multi30k-en-de/model/', import.meta.url).pathname;

  it('takes the place of the family’s', async () => {
    await using plain = await loadModel(folder, { probe: false, open: [] });
    const base = plain.processor;
    /** A caption with the words to leave out. */
    interface Caption {
      readonly words: readonly string[];
      readonly without: string;
    }
    const captions: Processor<Caption, { readonly loud: string }> = {
      input: 'a caption',
      isInput: (value): value is Caption => typeof value === 'object' && value !== null && 'words' in value,
      read: ({ words, without }) => base.read(words.filter((word) => word !== without).join(' ')),
      write: (hypothesis, source) => ({ loud: base.write(hypothesis, source).text.toUpperCase() }),
      textOf: undefined,
    };
    await using model = await loadModel(folder, { probe: false, processor: captions });
    const caption = { words: ['A', 'man', 'is', 'slowly', 'riding', 'a', 'bicycle.'], without: 'slowly' };
    const { loud, unknownTokens } = await model.decode(caption, greedy());
    const { text } = await plain.decode('A man is riding a bicycle.', greedy());
    expect(loud).toBe(text.toUpperCase());
    expect(unknownTokens).toBe(0);
    await expect(model.decode('A man.' as never, greedy())).rejects.toThrow('input must be a caption');
    await expect(loadModel(folder, { processor: {} as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('that gives no source is named in the error', async () => {
    await using model = await loadModel(folder, { probe: false, open: [] });
    const broken = { ...textProcessor(model.tokenizer), read: () => ({}) as never };
    await using other = await loadModel(folder, { probe: false, open: [], processor: broken });
    await expect(other.decode('A man.', greedy())).rejects.toThrow(/processor.*an object with a source/);
  });

  it('of a masked language model reads a text as the beginning of the output', async () => {
    const masked = new URL('../../model-tinyshakespeare/model/', import.meta.url).pathname;
    await using model = await loadModel(masked, { probe: false, open: [] });
    const { source, outputPrefix } = await model.processor.read('To be');
    expect(source).toHaveLength(0);
    expect(model.tokenizer.decode(outputPrefix ?? [])).toBe('To be');
    // No output holds the end token.
    expect(outputPrefix).toEqual(model.tokenizer.encode('To be').slice(0, -1));
  });
});

it('a tokenizer that answers with a promise is refused where it does', () => {
  const tokenizer = { encode: () => Int32Array.of(1, 0), decode: async () => 'text', countUnknown: () => 0 };
  const { textOf } = textProcessor(tokenizer as never);
  expect(() => textOf?.([1])).toThrow(/What decode returns must be a string/);
});
