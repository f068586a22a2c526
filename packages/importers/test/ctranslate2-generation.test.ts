import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModelFolder } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { type ImportNote, importModel, inspectWeights, readGraphWeights } from '../src/index.js';
import { copyOf, withConfig } from './ctranslate2-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/', import.meta.url));
const LLAMA = join(GOLDENS, 'ctranslate2-decoders/llama-some-biases-float32');
const GPT2 = join(GOLDENS, 'ctranslate2-decoders/gpt2-int8_float16');
const OPUS = join(GOLDENS, 'ctranslate2/opus-int8_float32');
const WHISPER = join(GOLDENS, 'whisper/ctranslate2');

/** The folder with a generation_config.json beside its model.bin. */
async function withGeneration(source: string, content: object | string): Promise<string> {
  const folder = await copyOf(source);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(join(folder, 'generation_config.json'), text);
  return folder;
}

/** Manifest and notes of an import, and the tokens that a graph of it rules out. */
async function imported(folder: string, graph = 'step.onnx') {
  const target = join(await temporaryFolder(), 'model');
  const notes: ImportNote[] = [];
  const manifest = await importModel(folder, target, { onNote: (note) => notes.push(note) });
  const weights = await readGraphWeights(await openModelFolder(target), graph);
  const { values = [] } = [...weights].find(([name]) => name.endsWith('suppressed'))?.[1] ?? {};
  const suppressed = [...values].flatMap((value, tokenId) => (value <= -50_000 ? [tokenId] : []));
  return { manifest, notes, fields: notes.map(({ field }) => field), suppressed };
}

/** The end token of config.json in the folders of language models. */
const endOf = async (folder: string): Promise<number> =>
  (await inspectWeights(folder)).manifest.vocabulary.endTokenId as number;

describe('generation_config.json beside a language model of CTranslate2', () => {
  it.each([LLAMA, GPT2])('%s: adds end tokens, and the one of config.json stays the first', async (source) => {
    const end = await endOf(source);
    const { manifest, notes } = await imported(await withGeneration(source, { eos_token_id: [7, end, 9] }));
    expect(manifest).toMatchObject({ vocabulary: { endTokenId: end }, stopTokenIds: [7, 9] });
    expect(notes).toEqual([]);
  });

  it('that names another end token is noted, and both count', async () => {
    const end = await endOf(LLAMA);
    const { manifest, notes } = await imported(await withGeneration(LLAMA, { eos_token_id: 7 }));
    expect(manifest).toMatchObject({ vocabulary: { endTokenId: end }, stopTokenIds: [7] });
    expect(notes).toMatchObject([{ file: 'generation_config.json', field: 'eos_token_id', received: 7 }]);
    expect(notes[0].message).toContain(`config.json of CTranslate2 says [${end}], which counts too.`);
  });

  it('names the end tokens alone where config.json names none', async () => {
    const folder = await withGeneration(await withConfig(LLAMA, { eos_token: null }), { eos_token_id: [9, 7] });
    const { manifest, notes } = await imported(folder);
    expect(manifest).toMatchObject({ vocabulary: { endTokenId: 9 }, stopTokenIds: [7] });
    expect(notes).toEqual([]);
  });

  it('rules tokens out, names what pads, and what it says besides is noted', async () => {
    const end = await endOf(LLAMA);
    const { suppressed, manifest, fields } = await imported(
      await withGeneration(LLAMA, {
        bad_words_ids: [[5], [end]],
        suppress_tokens: [8],
        pad_token_id: 4,
        temperature: 0.6,
      }),
    );
    expect(suppressed).toEqual([5, 8]);
    expect(manifest.vocabulary.padTokenId).toBe(4);
    expect(fields).toEqual(['bad_words_ids', 'temperature']);
  });

  it.each([
    ['[]', undefined],
    ['{', undefined],
    [{ eos_token_id: 'x' }, 'eos_token_id'],
    [{ eos_token_id: [7, 1e9] }, 'eos_token_id'],
    [{ suppress_tokens: 3 }, 'suppress_tokens'],
    [{ bad_words_ids: [3] }, 'bad_words_ids'],
  ])('%j is refused by its file', async (content, field) => {
    const folder = await withGeneration(LLAMA, content);
    const error = await refusal(() => inspectWeights(folder));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'generation_config.json' } });
    if (field !== undefined) expect(error.details.field).toBe(field);
  });
});

describe('generation_config.json beside other models of CTranslate2', () => {
  it('adds to what is never output, and what contradicts config.json is noted', async () => {
    const plain = await imported(OPUS, 'vocabulary.onnx');
    const { endTokenId, size } = plain.manifest.vocabulary;
    // What outputs begin with there.
    const start = size - 1;
    const { manifest, fields, suppressed } = await imported(
      await withGeneration(OPUS, {
        eos_token_id: 9,
        decoder_start_token_id: start,
        bad_words_ids: [[start], [6]],
        num_beams: 4,
      }),
      'vocabulary.onnx',
    );
    expect(manifest.vocabulary).toMatchObject({ endTokenId, size });
    expect(fields).toEqual(['eos_token_id', 'num_beams']);
    expect(suppressed).toEqual([6, ...plain.suppressed].sort((a, b) => a - b));
  });

  it('adds to what Whisper never says', async () => {
    const { fields, manifest } = await imported(
      await withGeneration(WHISPER, { suppress_tokens: [3, 40, 41, 301, 55], no_repeat_ngram_size: 3 }),
    );
    expect(fields).toEqual(['no_repeat_ngram_size']);
    expect(manifest.training?.notUsed).toEqual({ no_repeat_ngram_size: 3 });
    const other = await imported(await withGeneration(WHISPER, { suppress_tokens: [55] }));
    expect(other.fields).toEqual(['suppress_tokens']);
  });
});

it('a model of Marian without its vocabularies is told apart', async () => {
  const folder = await temporaryFolder();
  const file = new URL('../../models/test/goldens/marian-bin/tied/model.bin', import.meta.url);
  await copyFile(fileURLToPath(file), join(folder, 'model.bin'));
  const error = await refusal(() => inspectWeights(folder));
  expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'model.bin' } });
  expect(error.message).toContain('read with their vocabularies, such as vocab.deen.spm, beside them');
});
