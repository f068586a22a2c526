import { readdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Yielder } from '@foretoken/core/kit';
import { readCausalGeneration, readTokenizerFiles } from '@foretoken/models/internal';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../models/test/folder-fixtures.js';
import { readLlamaShape } from '../src/architectures/llama/llama-shape.js';
import { importModel } from '../src/index.js';
import { ggufConfig, ggufOrigins } from '../src/readers/gguf/gguf-config.js';
import { GgufFields } from '../src/readers/gguf/gguf-fields.js';
import { openGguf } from '../src/readers/gguf/open-gguf.js';
import { copyOf, edited, VALUE, withConfig } from './ctranslate2-fixtures.js';

const at = (path: string): string => fileURLToPath(new URL(`goldens/${path}`, import.meta.url));
const FILE = 'some-model.gguf';
const GOOD = await openGguf({ folder: at('gguf'), file: 'llama-byte-level.gguf' }, new Yielder());

/** What is read of a GGUF file with other settings. */
function ggufFolder(settings: Readonly<Record<string, number>>) {
  const metadata = new Map([...GOOD.metadata, ...Object.entries(settings)]);
  const fields = new GgufFields({ ...GOOD, metadata }, { folder: 'folder', file: FILE });
  return { path: 'folder', config: ggufConfig(fields, GOOD, undefined), file: FILE, origins: ggufOrigins(fields) };
}

describe('what a GGUF file says wrong', () => {
  it.each([
    [{ 'llama.attention.head_count_kv': 3 }, 'llama.attention.head_count_kv'],
    [
      { 'llama.attention.key_length': 7, 'llama.attention.value_length': 7, 'llama.rope.dimension_count': 7 },
      'llama.attention.key_length',
    ],
  ])('%j is named as it has it', async (settings, field) => {
    const error = await refusal(() => readLlamaShape(ggufFolder(settings)));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: FILE, field } });
    expect(error.message).toContain(`${FILE} has ${field} = `);
  });

  it('is named so where it is of tokens, too', async () => {
    const eos = 'tokenizer.ggml.eos_token_id';
    const error = await refusal(() => readCausalGeneration(ggufFolder({ [eos]: 99_999 }), 64, {}));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: FILE, field: eos } });
    const pad = 'tokenizer.ggml.padding_token_id';
    const { notes } = readCausalGeneration(ggufFolder({ [pad]: 99_999 }), 64, {});
    expect(notes).toContainEqual(expect.objectContaining({ file: FILE, field: pad, received: 99_999 }));
  });

  it('is named so in notes', () => {
    const field = 'llama.attention.sliding_window';
    expect(readLlamaShape(ggufFolder({ [field]: 9 })).notes).toMatchObject([{ file: FILE, field }]);
  });

  it('has a name for every number and text of the config that is made of it', () => {
    const { config, origins } = ggufFolder({});
    const said = Object.keys(config).filter((name) => typeof config[name] !== 'boolean' && config[name] !== null);
    expect(said.filter((name) => !Object.hasOwn(origins, name))).toEqual([]);
  });
});

describe('what a folder of CTranslate2 says wrong', () => {
  const BART = at('ctranslate2/bart-int8_float16');
  const LLAMA = at('ctranslate2-decoders/llama-some-biases-float32');
  const importing = async (folder: string) => refusal(() => importModel(folder, `${folder}-model`, {}));

  it.each(['encoder', 'decoder'])('is named as model.bin has it: heads of the %s', async (side) => {
    const field = `${side}/num_heads`;
    const error = await importing(await edited(BART, field, VALUE, [3]));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.bin', field } });
  });

  it('is named as model.bin has it: positions that are too few for heads of an odd width', async () => {
    const field = 'decoder/num_heads';
    const error = await importing(await edited(LLAMA, field, VALUE, [32]));
    expect(error).toMatchObject({ details: { file: 'model.bin' } });
    expect(error.message).not.toContain('config.json');
  });

  it('is named as config.json has it, where that says it', async () => {
    const error = await importing(await withConfig(LLAMA, { layer_norm_epsilon: 7 }));
    expect(error).toMatchObject({ details: { file: 'config.json', field: 'layer_norm_epsilon' } });
  });

  it('is the vocabulary that is missing, not the one that is there', async () => {
    const separate = at('ctranslate2/onmt-bfloat16');
    for (const side of ['source', 'target']) {
      const folder = await copyOf(separate);
      for (const name of await readdir(folder))
        if (name.startsWith(`${side}_vocabulary`)) await rm(`${folder}/${name}`);
      const error = await importing(folder);
      expect(error.details.file).toBe(`${side}_vocabulary.json`);
    }
  });
});

describe('pieces outside the vocabulary', () => {
  it('are of the SentencePiece model where no other file numbers them', async () => {
    const bytes = new Uint8Array(
      await readFile(new URL('../../models/test/goldens/encoder-decoder/mt5/spiece.model', import.meta.url)),
    );
    const reader = { path: 'folder', has: async (file: string) => file === 'spiece.model', read: async () => bytes };
    const { namedTokens } = await readTokenizerFiles(reader);
    const error = await refusal(() => namedTokens(4));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'spiece.model' } });
  });
});
