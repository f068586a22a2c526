import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import {
  readCausalGeneration,
  readExportGeneration,
  readGeneration,
  readSpeechGeneration,
} from '../src/hugging-face/generation-config.js';

type Fields = Readonly<Record<string, unknown>>;

const SIZE = 40;
const TOKENS = { decoder_start_token_id: 3, eos_token_id: 2, pad_token_id: 0 };

/** What `read` makes of two files, as they come from JSON. */
function reading<T>(read: (folder: { path: string; config: Fields; generationConfig?: Fields }) => T) {
  return (config: Fields, generationConfig?: Fields): T =>
    read(JSON.parse(JSON.stringify({ path: 'folder', config: { ...TOKENS, ...config }, generationConfig })));
}

const translation = reading((folder) => readGeneration(folder, SIZE, {}));
const causal = reading((folder) => readCausalGeneration(folder, SIZE, {}));
const encoderDecoder = reading((folder) => readExportGeneration(folder, SIZE, {}));
const speech = reading((folder) => readSpeechGeneration(folder, SIZE, 448, {}));
const KINDS = { translation, causal, encoderDecoder, speech };

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('a field that names one token', () => {
  it('is read from a list of one', () => {
    expect(encoderDecoder({}, { forced_bos_token_id: [7] }).beginning).toEqual([3, 7]);
    expect(encoderDecoder({}, { decoder_start_token_id: [5] }).beginning).toEqual([5]);
    expect(causal({ pad_token_id: [4] }).pad).toBe(4);
  });

  it('is refused as a list of several, of which any could be meant', () => {
    for (const field of ['forced_bos_token_id', 'decoder_start_token_id', 'pad_token_id']) {
      expect(
        codeOf(() => encoderDecoder({}, { [field]: [7, 8] })),
        field,
      ).toBe('UNSUPPORTED_MODEL');
    }
    expect(codeOf(() => encoderDecoder({ decoder_start_token_id: null, bos_token_id: [1, 4] }))).toBe(
      'UNSUPPORTED_MODEL',
    );
    expect(codeOf(() => causal({ pad_token_id: [0, 1] }))).toBe('UNSUPPORTED_MODEL');
  });

  it('may be an empty list or null, which say nothing', () => {
    expect(encoderDecoder({ forced_bos_token_id: [] }).beginning).toEqual([3]);
    expect(encoderDecoder({ decoder_start_token_id: null, bos_token_id: 6 }).beginning).toEqual([6]);
    expect(codeOf(() => encoderDecoder({ decoder_start_token_id: [], bos_token_id: [] }))).toBe('INVALID_MODEL_FOLDER');
  });

  it.each(['7', 7.5, true, {}, [[7]], ['7'], SIZE, -3])('is refused as %j', (value) => {
    expect(codeOf(() => encoderDecoder({}, { forced_bos_token_id: value }))).toBe('INVALID_MODEL_FOLDER');
    expect(codeOf(() => encoderDecoder({}, { decoder_start_token_id: value }))).toBe('INVALID_MODEL_FOLDER');
  });
});

describe('a padding token that is none', () => {
  it.each([-1, SIZE, SIZE + 1000])('%j is noted, since nothing here reads it', (value) => {
    const { pad, notes } = causal({ pad_token_id: value });
    expect(pad).toBeUndefined();
    expect(notes).toMatchObject([{ field: 'pad_token_id', received: value }]);
    expect(encoderDecoder({ pad_token_id: value }).pad).toBeUndefined();
  });

  it.each(['0', 0.5, {}, [[0]], [-1]])('%j is refused', (value) => {
    expect(codeOf(() => causal({ pad_token_id: value }))).toBe('INVALID_MODEL_FOLDER');
  });
});

describe('two files that contradict each other', () => {
  it.each(Object.entries(KINDS))('%s: what counts is told of every field that is read', (kind, read) => {
    const older = { eos_token_id: 2, suppress_tokens: [5], bad_words_ids: [[6]] };
    const newer = { eos_token_id: 9, suppress_tokens: [7], bad_words_ids: [[8]] };
    const { notes, suppressed } = read(older, newer);
    expect([...suppressed].sort()).toEqual([7, 8]);
    expect(notes.map(({ file, field }) => [file, field]).sort()).toEqual(
      ['bad_words_ids', 'eos_token_id', 'suppress_tokens'].map((field) => ['config.json', field]),
    );
    const start = kind === 'translation' || kind === 'encoderDecoder';
    const fields = read({}, { decoder_start_token_id: 4 }).notes.map(({ field }) => field);
    expect(fields).toEqual(start ? ['decoder_start_token_id'] : []);
  });

  it('also of the beginning and the length of an encoder-decoder, once each', () => {
    const { notes, beginning } = encoderDecoder(
      { forced_bos_token_id: 5, max_length: 100 },
      { forced_bos_token_id: 7, max_length: 200 },
    );
    expect(beginning).toEqual([3, 7]);
    expect(notes.map(({ file, field }) => `${file} ${field}`)).toEqual([
      'config.json forced_bos_token_id',
      'config.json max_length',
      'generation_config.json max_length',
    ]);
  });

  it('also of what no output of a speech model begins with', () => {
    const { notes, suppressedFirst } = speech({ begin_suppress_tokens: [5] }, { begin_suppress_tokens: [6, 6, 7] });
    expect(suppressedFirst).toEqual([6, 7]);
    expect(notes).toMatchObject([{ file: 'config.json', field: 'begin_suppress_tokens', received: [5] }]);
  });
});

describe('what is not done', () => {
  it('is noted of a speech model whose length the configs cut', () => {
    expect(speech({ max_length: 448 }).notes).toEqual([]);
    expect(speech({}, { max_length: 100 }).notes).toMatchObject([{ field: 'max_length', received: 100 }]);
    expect(codeOf(() => speech({}, { max_length: '100' }))).toBe('INVALID_MODEL_FOLDER');
  });

  it.each(Object.entries(KINDS))(
    '%s: is noted of numbers that are texts, of what tasks ask for, and of odd names',
    (_, read) => {
      const asks = {
        num_beams: '4',
        temperature: '0.7',
        do_sample: 'false',
        max_new_tokens: 0,
        prefix: 'translate English to German: ',
        task_specific_params: { summarization: { prefix: 'summarize: ' } },
        no_repeat_ngram_size: [3],
      };
      expect(
        read(asks)
          .notes.map(({ field }) => field)
          .sort(),
      ).toEqual(Object.keys(asks).sort());
      const odd = JSON.parse('{"__proto__": {"num_beams": 3}, "constructor": 1, "toString": "x"}');
      expect(
        read({}, odd)
          .notes.map(({ field }) => field)
          .sort(),
      ).toEqual(['__proto__', 'constructor', 'toString']);
    },
  );
});
