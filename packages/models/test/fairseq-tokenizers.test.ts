import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { importModel, rebuildExport } from '@foretoken/importers';
import { describe, expect, it } from 'vitest';
import { readLanguages } from '../src/hugging-face/languages.js';
import { readTokenizerConfig } from '../src/hugging-face/tokenizer-config.js';
import { readTokenizerFiles } from '../src/hugging-face/tokenizer-files.js';
import { loadModel } from '../src/index.js';
import { languageProcessor } from '../src/processors/language-processor.js';
import { createPieceTokenizer } from '../src/tokenizer/piece-tokenizer.js';
import { encoderDecoderGoldens, encoderDecoderWeights } from './encoder-decoder-fixtures.js';
import { exportCopy } from './export-folders.js';
import { temporaryFolder } from './folder-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/', import.meta.url));
const PIECES = await readFile(join(GOLDENS, 'sentencepiece/unigram-nmt.spm'));
const ONE_MODEL = 'sentencepiece.bpe.model';

/** Written by apps/distill/make_fairseq_tokenizer_goldens.py. */
interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly size: number;
  readonly target: number;
  readonly ids: readonly (readonly number[])[];
  readonly decoded: readonly string[];
}
const { lines, kinds } = JSON.parse(await readFile(join(GOLDENS, 'fairseq-tokenizers/goldens.json'), 'utf8')) as {
  readonly lines: readonly string[];
  readonly kinds: Readonly<Record<string, Golden>>;
};
const VOCABULARY = await readFile(join(GOLDENS, 'fairseq-tokenizers/vocab.json'));

/** Reads files that lie in no folder. */
const reading = (files: Readonly<Record<string, object | Uint8Array>>) => ({
  path: 'folder',
  has: async (file: string) => Object.hasOwn(files, file),
  read: async (file: string) => {
    const content = files[file];
    return content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content));
  },
});

/** What reads texts of a folder with these files, its source and output in the languages of its configs. */
async function processorOf(files: Readonly<Record<string, object | Uint8Array>>, size: number, start = 2) {
  const reader = reading(files);
  const tokenizer = await readTokenizerFiles(reader);
  const tokenizerConfig = await readTokenizerConfig(reader);
  const languages = readLanguages({ path: 'folder', tokenizer, tokenizerConfig }, size, [start]);
  if (languages === undefined || typeof tokenizer.names !== 'object' || !('vocabulary' in tokenizer.names)) {
    throw new Error('no languages');
  }
  const content = new Map([...tokenizer.files, ...(languages.files ?? [])]);
  const { source, target, vocabulary } = tokenizer.names;
  const bytesOf = (file: string) => ({ file, content: content.get(file) as Uint8Array });
  const text = { file: vocabulary, content: new TextDecoder().decode(content.get(vocabulary)) };
  const pieces = createPieceTokenizer(
    { source: bytesOf(source), target: bytesOf(target), vocabulary: text },
    { vocabulary: { size, endTokenId: 2, padTokenId: 1, unknownTokenId: 3 }, sourceLength: 4096 },
  );
  const processor = languageProcessor(pieces, languages.manifest, 2);
  return {
    /** Tokens of a source, and what its output begins with. */
    read: async (text: string) => {
      const { source, outputPrefix } = await processor.read(text);
      return { source: [...(source as Int32Array)], outputPrefix: [...(outputPrefix ?? [])] };
    },
    write: (tokenIds: readonly number[]) => pieces.decode(tokenIds.filter((id) => id < 301)),
  };
}

const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

describe('a folder with one SentencePiece model of fairseq', () => {
  it.each(Object.keys(kinds))('has the token ids of the slow tokenizer of transformers: %s', async (kind) => {
    const { config, size, target, ids, decoded } = kinds[kind];
    const own = kind === 'm2m100' ? { 'vocab.json': VOCABULARY } : {};
    // Of mBART the start token says the language.
    const start = kind === 'mbart' ? target : 2;
    const files = { [ONE_MODEL]: PIECES, ...own, 'tokenizer_config.json': config };
    const processor = await processorOf(files, size + 200, start);
    let unknown = 0;
    for (const [index, line] of lines.entries()) {
      const { source, outputPrefix } = await processor.read(line);
      expect([line, ...source]).toEqual([line, ...ids[index]]);
      expect(outputPrefix).toEqual(kind === 'mbart' ? [] : [target]);
      unknown += ids[index].filter((id) => id === 3).length;
      expect(squeezed(processor.write(ids[index]))).toBe(squeezed(decoded[index].replaceAll(/__[a-z]+__/g, '')));
    }
    expect(unknown).toBeGreaterThan(50);
  });

  it('has languages behind its pieces and the mask behind those, where no file lists them', async () => {
    const { mbart, mbart50 } = kinds;
    for (const { config, size, ids, target } of [mbart, { ...mbart50, target: 2 }]) {
      const { added_tokens_decoder: _, ...named } = config;
      const processor = await processorOf({ [ONE_MODEL]: PIECES, 'tokenizer_config.json': named }, size, target);
      expect((await processor.read(lines[0])).source).toEqual(ids[0]);
      // The number of tokens says which of both it is.
      const { tokenizer_class: __, ...unnamed } = named;
      const model = { model_type: 'mbart', vocab_size: size };
      const files = { [ONE_MODEL]: PIECES, 'config.json': model, 'tokenizer_config.json': unnamed };
      const other = await processorOf(files, size, target);
      expect((await other.read(lines[1])).source).toEqual(ids[1]);
    }
  });

  it('is refused where nothing says which ids its pieces have', async () => {
    const files = { [ONE_MODEL]: PIECES };
    const cases: [Record<string, object>, RegExp][] = [
      [{}, /no tokenizer_config\.json that names its tokenizer.*MBartTokenizer, MBart50Tokenizer, NllbTokenizer/],
      [{ 'tokenizer_config.json': { tokenizer_class: 'M2M100Tokenizer' } }, /"M2M100Tokenizer".*vocab\.json/],
      [{ 'tokenizer_config.json': { tokenizer_class: 'constructor' } }, /"constructor"/],
      [{ 'tokenizer_config.json': { tokenizer_class: 5 } }, /tokenizer_class = 5/],
      [{ 'config.json': { model_type: 'mbart', vocab_size: 320 } }, /does not say what token ids/],
      [{ 'config.json': { model_type: 'toString', vocab_size: 400 } }, /does not say what token ids/],
      [{ 'tokenizer_config.json': { added_tokens_decoder: { x: { content: 'de_DE' } } } }, /"added_tokens_decoder\.x"/],
      [{ 'tokenizer_config.json': { added_tokens_decoder: { 7: 'de_DE' } } }, /"added_tokens_decoder\.7"/],
      [{ 'tokenizer_config.json': [] }, /must be a JSON object/],
    ];
    for (const [others, message] of cases) {
      await expect(readTokenizerFiles(reading({ ...files, ...others }))).rejects.toThrow(message);
      await expect(readTokenizerFiles(reading({ ...files, ...others }))).rejects.toBeInstanceOf(ForetokenError);
    }
    const t5 = await readFile(join(encoderDecoderWeights('mt5'), 'spiece.model'));
    await expect(readTokenizerFiles(reading({ [ONE_MODEL]: t5 }))).rejects.toThrow(/begins with/);
  });
});

describe('weights whose folder has no tokenizer.json', () => {
  it.each([
    ['mbart', ['tokenizer.json']],
    ['mbart50', ['tokenizer.json']],
    ['nllb', ['tokenizer.json']],
  ])('are imported with the same texts and outputs: %s', async (kind, without) => {
    const weights = join(await temporaryFolder(), 'weights');
    await cp(encoderDecoderWeights(kind), weights, { recursive: true });
    for (const file of without) await rm(join(weights, file));
    const folder = join(await temporaryFolder(), 'model');
    await importModel(weights, folder, { weights: 'float32' });
    await using model = await loadModel(folder, { probe: false });
    for (const { text, sourceLanguage, targetLanguage, source, greedy: tokens, said } of (
      await encoderDecoderGoldens(kind)
    ).rows) {
      const languages = { sourceLanguage: sourceLanguage ?? undefined, targetLanguage: targetLanguage ?? undefined };
      const input = sourceLanguage === null && targetLanguage === null ? text : { text, ...languages };
      const result = await model.decode(input as string, greedy(), { maxNewTokens: 20 });
      expect([...result.source]).toEqual(source);
      expect([...result.tokenIds].slice(-tokens.length)).toEqual(tokens);
      expect(squeezed(result.text)).toBe(squeezed(said));
    }
  });
});

describe('an export of a model of several languages', () => {
  const files = ['sentencepiece.bpe.model', 'vocab.json', 'tokenizer_config.json'];
  it.each([['as exported', false] as const, ['by graphs built anew', rebuildExport] as const])(
    'reads SentencePiece, and is told of languages: %s',
    async (_, improveGraph) => {
      const before = process.env.FORETOKEN_CACHE;
      process.env.FORETOKEN_CACHE = await temporaryFolder();
      try {
        const folder = await exportCopy('m2m100');
        for (const file of files) await cp(join(encoderDecoderWeights('m2m100'), file), join(folder, file));
        await using model = await loadModel(folder, { probe: false, improveGraph });
        expect(model.description.facts).toContainEqual([
          'languages',
          expect.stringMatching(/^af, am, .*from en to de$/),
        ]);
        for (const { text, sourceLanguage, targetLanguage, source, beginning, greedy: tokens } of (
          await encoderDecoderGoldens('m2m100')
        ).rows) {
          const languages = {
            sourceLanguage: sourceLanguage ?? undefined,
            targetLanguage: targetLanguage ?? undefined,
          };
          const input = sourceLanguage === null && targetLanguage === null ? text : { text, ...languages };
          const result = await model.decode(input as string, greedy(), { maxNewTokens: 20 });
          expect([...result.source]).toEqual(source);
          expect([...result.tokenIds]).toEqual([...beginning.slice(1), ...tokens]);
        }
        await expect(model.decode({ text: 'a', targetLanguage: 'xx' } as never, greedy())).rejects.toThrow(/"xx"/);
      } finally {
        if (before === undefined) delete process.env.FORETOKEN_CACHE;
        else process.env.FORETOKEN_CACHE = before;
      }
    },
  );

  it('is told of a list of languages that is not known', async () => {
    const folder = await exportCopy('m2m100');
    for (const file of files) await cp(join(encoderDecoderWeights('m2m100'), file), join(folder, file));
    const config = { ...JSON.parse(await readFile(join(folder, files[2]), 'utf8')), language_codes: 'klingon' };
    await writeFile(join(folder, files[2]), JSON.stringify(config));
    await expect(loadModel(folder, { probe: false, improveGraph: false })).rejects.toThrow(/"klingon"/);
  });

  it('keeps what it uses in its manifest', async () => {
    const folder = await exportCopy('m2m100');
    for (const file of files) await cp(join(encoderDecoderWeights('m2m100'), file), join(folder, file));
    await using model = await loadModel(folder, { probe: false, improveGraph: false });
    expect(Object.keys(model.manifest.files).sort()).toEqual([
      'onnx/decoder_model_merged.onnx',
      'onnx/encoder_model.onnx',
      'sentencepiece.bpe.model',
      'vocab.json',
    ]);
    const sources = [Int32Array.of(5, 2)];
    await collect(greedy().decode(model.part('autoregressive'), { sources, maxNewTokens: 2 }));
  });
});
