import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importModel } from '@foretoken/importers';
import { describe, expect, it } from 'vitest';
import type { ManifestVocabulary } from '../src/folder/manifest.js';
import {
  readCausalGeneration,
  readExportGeneration,
  readGeneration,
  readPadding,
  readSpeechGeneration,
} from '../src/hugging-face/generation-config.js';
import { type ModelManifest, openModelFolder } from '../src/index.js';
import { readNamedTokens } from '../src/tokenizer/named-tokens.js';
import { causalWeights } from './causal-fixtures.js';
import { encoderDecoderWeights } from './encoder-decoder-fixtures.js';
import { exportFolder } from './export-folders.js';
import { fillMaskWeights } from './fill-mask-fixtures.js';
import { temporaryFolder } from './folder-fixtures.js';

type Json = Readonly<Record<string, unknown>>;

const [BY_GENERATION, BY_CONFIG, BY_TOKENIZER] = [7, 8, 9];
const SIZE = 40;
const whisperWeights = fileURLToPath(new URL('../../importers/test/goldens/whisper/transformers', import.meta.url));

describe('what reads configs', () => {
  const readers: Readonly<
    Record<string, (folder: Parameters<typeof readPadding>[0], pad?: number) => number | undefined>
  > = {
    translation: (folder, pad) => readGeneration(folder, SIZE, { pad }).tokens.pad,
    'decoders alone': (folder, pad) => readCausalGeneration(folder, SIZE, { pad }).pad,
    'encoder-decoders': (folder, pad) => readExportGeneration(folder, SIZE, { pad }).pad,
    speech: (folder, pad) => readSpeechGeneration(folder, SIZE, 10, { pad }).pad,
    'masked language models': (folder, pad) => readPadding(folder, SIZE, { pad }),
  };
  it.each(Object.entries(readers))('finds padding in generation_config, config and tokenizer, of %s', (_, read) => {
    const others = { decoder_start_token_id: 3, eos_token_id: 2 };
    const padding = (told: unknown, config: unknown, tokenizer?: number) =>
      read(
        { path: 'x', config: { ...others, pad_token_id: config }, generationConfig: { pad_token_id: told } },
        tokenizer,
      );
    expect(padding(BY_GENERATION, BY_CONFIG, BY_TOKENIZER)).toBe(BY_GENERATION);
    expect(padding(null, BY_CONFIG, BY_TOKENIZER)).toBe(BY_CONFIG);
    expect(padding([], BY_CONFIG, BY_TOKENIZER)).toBe(BY_CONFIG);
    expect(padding(undefined, BY_CONFIG)).toBe(BY_CONFIG);
    expect(padding(undefined, undefined, BY_TOKENIZER)).toBe(BY_TOKENIZER);
    expect(padding(BY_GENERATION, undefined)).toBe(BY_GENERATION);
  });

  it('passes over numbers that are no tokens', () => {
    const folder = { path: 'x', config: { pad_token_id: BY_CONFIG }, generationConfig: { pad_token_id: -1 } };
    const { pad, notes } = readCausalGeneration(folder, SIZE, { pad: BY_TOKENIZER });
    expect(pad).toBe(BY_CONFIG);
    expect(notes).toContainEqual(expect.objectContaining({ file: 'generation_config.json', received: -1 }));
    expect(readCausalGeneration({ ...folder, config: { pad_token_id: SIZE } }, SIZE, { pad: BY_TOKENIZER }).pad).toBe(
      BY_TOKENIZER,
    );
  });
});

describe('a tokenizer.json', () => {
  const padOf = (padding: unknown, ...added: readonly string[]) => {
    const tokens = ['a', ...added];
    const json = {
      added_tokens: added.map((content, at) => ({ id: at + 1, content, special: true })),
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      padding,
      model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
    };
    return readNamedTokens(JSON.stringify(json), SIZE, 'folder').pad;
  };

  it('names padding by what it pads with, or else as usual', () => {
    expect(padOf({ strategy: 'BatchLongest', pad_token: '<fill>', pad_id: 1 }, '<fill>', '<pad>')).toBe(1);
    expect(padOf(null, '<fill>', '<pad>', '[PAD]')).toBe(2);
    expect(padOf(null, '<fill>', '[PAD]')).toBe(2);
    for (const odd of [null, 7, 'x', [], { pad_token: 7 }, { pad_token: '<none>' }]) {
      expect(padOf(odd, '<fill>')).toBeUndefined();
    }
  });
});

const paddingOf = ({ vocabulary }: ModelManifest & { readonly vocabulary?: ManifestVocabulary }): number | undefined =>
  vocabulary?.padTokenId;

const PLACES = [
  [[BY_GENERATION, BY_CONFIG], BY_GENERATION],
  [[undefined, BY_CONFIG], BY_CONFIG],
  [[BY_GENERATION, undefined], BY_GENERATION],
] as const;

/** A copy of a folder whose two configs name this padding. */
async function told(
  folder: string,
  [generation, config]: readonly [number | undefined, number | undefined],
): Promise<string> {
  const copy = join(await temporaryFolder(), 'told');
  await cp(folder, copy, { recursive: true });
  const write = async (file: string, pad: number | undefined) => {
    const path = join(copy, file);
    const content = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Json;
    // What ends outputs is named, so that a file may be made of nothing.
    await writeFile(path, JSON.stringify({ ...content, pad_token_id: pad, bad_words_ids: undefined }));
  };
  await write('config.json', config);
  await write('generation_config.json', generation);
  return copy;
}

describe('a folder', () => {
  const exported = ['marian', 'bart', 't5', 'llama', 'opt', 'm2m100', 'spectra', 'speech'];
  it.each(exported)('of exported graphs has the padding that its configs name: %s', async (kind) => {
    for (const [said, expected] of PLACES) {
      const { manifest } = await openModelFolder(await told(exportFolder(kind), said));
      expect(paddingOf(manifest)).toBe(expected);
    }
  });

  it.each(['marian', 'llama', 't5'])(
    'of exported graphs has that of its tokenizer where configs name none: %s',
    async (kind) => {
      const { manifest } = await openModelFolder(await told(exportFolder(kind), [undefined, undefined]));
      expect(paddingOf(manifest)).toBe(0);
    },
  );

  const weights = {
    llama: causalWeights('llama'),
    bart: encoderDecoderWeights('bart'),
    t5: encoderDecoderWeights('t5'),
    'marian-gelu': encoderDecoderWeights('marian-gelu'),
    bert: fillMaskWeights('bert'),
    whisper: whisperWeights,
  };
  it.each(Object.entries(weights))('of weights has the padding that its configs name: %s', async (_, folder) => {
    for (const [said, expected] of PLACES) {
      const out = join(await temporaryFolder(), 'model');
      await importModel(await told(folder, said), out);
      const { manifest } = await openModelFolder(out);
      expect(paddingOf(manifest)).toBe(expected);
    }
  });
});
