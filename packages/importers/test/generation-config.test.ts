import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder } from '@foretoken/models';
import { describe, expect, test } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { VOCABULARY, weightsOf } from '../../models/test/student-fixtures.js';
import { type ImportNote, importModel, readGraphWeights } from '../src/index.js';
import { editJson } from './import-fixtures.js';

type Fields = Readonly<Record<string, unknown>>;

/** Imports the Marian model with fields in its two configs; what is suppressed in each step graph, and what is noted. */
async function imported(config: Fields, generation?: Fields) {
  const folder = await weightsOf('marian', config);
  if (generation !== undefined) await editJson(folder, 'generation_config.json', generation);
  const target = join(await temporaryFolder(), 'model');
  const notes: ImportNote[] = [];
  const manifest = await importModel(folder, target, { onNote: (note) => notes.push(note) });
  const opened = await openModelFolder(target);
  const graphs = Object.keys(manifest.files).filter((name) => name.startsWith('step-'));
  const suppressed = await Promise.all(
    graphs.map(async (graph) => {
      const weights = await readGraphWeights(opened, graph);
      const bias = weights.get('final_logits_bias.suppressed') ?? weights.get('final_logits_bias');
      return [...(bias?.values ?? [])].flatMap((value, tokenId) => (value <= -50_000 ? [tokenId] : []));
    }),
  );
  expect(suppressed).toHaveLength(5);
  for (const other of suppressed) expect(other).toEqual(suppressed[0]);
  return { manifest, notes, fields: notes.map(({ field }) => field).sort(), suppressed: suppressed[0] };
}

describe('tokens that are never to be output', () => {
  test.each<[string, Fields, Fields | undefined, number[]]>([
    ['nowhere', {}, undefined, []],
    ['in config.json', { bad_words_ids: [[0]] }, undefined, [0]],
    ['in generation_config.json alone', {}, { bad_words_ids: [[0], [16]] }, [0, 16]],
    ['in both, where the newer file counts', { bad_words_ids: [[0]] }, { bad_words_ids: [[16]] }, [16]],
    ['in the older file where the newer says null', { bad_words_ids: [[0]] }, { bad_words_ids: null }, [0]],
    ['as suppressed tokens', {}, { suppress_tokens: [1, 16] }, [1, 16]],
    ['in either way', { suppress_tokens: [1] }, { bad_words_ids: [[0]] }, [0, 1]],
    ['the end token, which stays possible', {}, { bad_words_ids: [[2], [0]] }, [0]],
    ['words of several tokens, which graphs cannot forbid', {}, { bad_words_ids: [[3, 4], [0]] }, [0]],
    ['an empty list', { bad_words_ids: [[0]] }, { bad_words_ids: [] }, []],
  ])('%s', async (_, config, generation, expected) => {
    expect((await imported(config, generation)).suppressed).toEqual(expected);
  });

  test.each<[unknown]>([
    ['x'],
    [3],
    [{}],
    [[0]],
    [[[]]],
    [[['0']]],
    [[[0.5]]],
    [[[-1]]],
    [[[VOCABULARY]]],
    [[[3, VOCABULARY]]],
  ])('bad words %j are refused by name', async (bad_words_ids) => {
    for (const file of ['config.json', 'generation_config.json']) {
      const folder = await weightsOf('marian');
      await editJson(folder, file, { bad_words_ids });
      const target = join(await temporaryFolder(), 'model');
      const error = await refusal(() => importModel(folder, target));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file, field: 'bad_words_ids' } });
    }
  });
});

describe('what a generation config says besides', () => {
  test('the tokens of generation_config.json count, and a contradiction is noted', async () => {
    const { manifest, notes } = await imported({ decoder_start_token_id: 16 }, { decoder_start_token_id: 15 });
    expect(manifest.vocabulary).toMatchObject({ startTokenId: 15 });
    expect(notes).toMatchObject([{ file: 'config.json', field: 'decoder_start_token_id', received: 16 }]);
    expect(notes[0]?.message).toContain('15');
    expect((await imported({}, { eos_token_id: [2] })).manifest.vocabulary.endTokenId).toBe(2);
  });

  test('several end tokens are refused', async () => {
    const folder = await weightsOf('marian');
    await editJson(folder, 'generation_config.json', { eos_token_id: [2, 3] });
    const error = await refusal(() => importModel(folder, join(folder, 'model')));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'eos_token_id' } });
  });

  const asks = {
    num_beams: 6,
    length_penalty: 0.6,
    max_length: 512,
    min_length: 5,
    no_repeat_ngram_size: 3,
    repetition_penalty: 1.2,
    forced_bos_token_id: 4,
    forced_eos_token_id: 2,
    begin_suppress_tokens: [3],
    early_stopping: true,
    do_sample: true,
    temperature: 0.7,
    a_new_setting: { deep: [1] },
  };
  test('is noted, with what does the same here, and kept in the manifest', async () => {
    const { fields, notes, manifest } = await imported({}, asks);
    expect(fields).toEqual(Object.keys(asks).sort());
    expect(manifest.training?.notUsed).toEqual(asks);
    for (const { message, field } of notes) expect(message).toContain(field);
    expect(notes.find(({ field }) => field === 'num_beams')?.message).toContain('beamSize');
    expect(notes.find(({ field }) => field === 'forced_bos_token_id')?.message).toContain('outputPrefixes');
    const older = await imported({ num_beams: 4, max_length: 512 });
    expect(older.fields).toEqual(['max_length', 'num_beams']);
  });

  test('says nothing where it asks for nothing', async () => {
    const neutral = {
      _from_model_config: true,
      transformers_version: '4.57.6',
      num_beams: 1,
      length_penalty: 1.0,
      max_length: 20,
      do_sample: false,
      forced_eos_token_id: null,
      begin_suppress_tokens: [],
      use_cache: true,
      bos_token_id: 0,
    };
    const { notes, manifest } = await imported({}, neutral);
    expect(notes).toEqual([]);
    expect(manifest.training).toEqual({ weights: 'float16' });
  });

  test('cannot rewrite a terminal, nor break what prints it', async () => {
    const folder = await weightsOf('marian');
    const deep = `${'['.repeat(90)}${']'.repeat(90)}`;
    await writeFile(
      join(folder, 'generation_config.json'),
      `{"x\\u001b[2J": 1, "no_such": ${deep}, "num_beams": ${deep}}`,
    );
    const notes: ImportNote[] = [];
    const manifest = await importModel(folder, join(folder, 'model'), { onNote: (note) => notes.push(note) });
    expect(notes).toHaveLength(3);
    for (const { message } of notes) expect(message).not.toContain('\u001b');
    expect(JSON.stringify([notes, manifest]).length).toBeLessThan(20_000);
  });

  test.each(['[]', '{', '"x"', '<!DOCTYPE html><html></html>'])('a file that is %s is refused', async (content) => {
    const folder = await weightsOf('marian');
    await writeFile(join(folder, 'generation_config.json'), content);
    const error = await refusal(() => importModel(folder, join(folder, 'model')));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'generation_config.json' } });
  });
});

test.each([
  ['normalize_embedding', true, 'model.encoder.layernorm_embedding.weight'],
  ['add_final_layer_norm', true, 'model.encoder.layer_norm.weight'],
  ['tie_word_embeddings', false, 'lm_head.weight'],
  ['share_encoder_decoder_embeddings', false, 'model.decoder.embed_tokens.weight'],
])('%s = %j asks for weights, which are named where they are missing', async (field, value, tensor) => {
  const folder = await weightsOf('marian', { [field]: value });
  const error = await refusal(() => importModel(folder, join(folder, 'model')));
  expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: tensor, received: 'missing' } });
});

test.each([
  ['decoder_vocab_size', 99],
  ['encoder_attention_heads', 5],
])('%s = %j, which does not fit the rest, is refused', async (field, value) => {
  const folder = await weightsOf('marian', { [field]: value });
  const error = await refusal(() => importModel(folder, join(folder, 'model')));
  expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field, received: value } });
});

test.each([
  ['static_position_embeddings', false],
  ['activation_function', 'tanh'],
  ['add_bias_logits', true],
  ['is_decoder', true],
])('%s = %j, which the graphs do not compute, is refused', async (field, value) => {
  const folder = await weightsOf('marian', { [field]: value });
  const error = await refusal(() => importModel(folder, join(folder, 'model')));
  expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field, received: value } });
});
