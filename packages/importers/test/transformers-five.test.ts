import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { loadModel } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import {
  type EncoderDecoderGolden,
  encoderDecoderGoldens,
  encoderDecoderWeights,
} from '../../models/test/encoder-decoder-fixtures.js';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';
import { editJson, type RawTensor, rawTensors, safetensorsOf } from './import-fixtures.js';

const FIVE = { transformers_version: '5.24.0' };

type Tensors = Map<string, RawTensor>;

/** Weights of transformers 4 as transformers 5 stores them. */
async function storedAnew(kind: string, config: object, change: (tensors: Tensors) => void = () => undefined) {
  const folder = await temporaryFolder();
  await cp(encoderDecoderWeights(kind), folder, { recursive: true });
  await editJson(folder, 'config.json', { ...FIVE, ...config });
  const tensors = await rawTensors(folder);
  change(tensors);
  await writeFile(join(folder, 'model.safetensors'), safetensorsOf(tensors));
  return folder;
}

/** The largest difference from the goldens' logits, times `factor`. */
async function worstOf(folder: string, rows: readonly EncoderDecoderGolden[], factor = 1): Promise<number> {
  const target = join(await temporaryFolder(), 'model');
  await importModel(folder, target, { weights: 'float32' });
  await using model = await loadModel(target, { probe: false });
  const part = model.part('autoregressive');
  let worst = 0;
  for (const { source, prefix, logits: expected } of rows) {
    await using forest = await part.open([Int32Array.from(source)]);
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, Int32Array.from(prefix), 'all');
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    const last = logits.subarray(logits.length - expected.flat().length);
    for (const [at, value] of expected.flat().entries()) worst = Math.max(worst, Math.abs(last[at] - factor * value));
  }
  return worst;
}

describe('T5 and mT5, whose config says that tables are tied, whatever they are', () => {
  it.each([
    ['a head of its own, not scaled', 't5-gated-silu', { tie_word_embeddings: true, scale_decoder_outputs: false }, 1],
    ['the table of tokens, scaled', 't5', { tie_word_embeddings: true, scale_decoder_outputs: true }, 1],
    // The root of the width.
    ['the table of tokens, not scaled', 't5', { tie_word_embeddings: true, scale_decoder_outputs: false }, 4],
    ['mT5 with a head of its own', 'mt5', { tie_word_embeddings: true }, 1],
    ['mT5 without one', 'mt5-tied', { tie_word_embeddings: true }, 4],
  ])('%s', async (_, kind, config, factor) => {
    const { rows } = await encoderDecoderGoldens(kind);
    expect(await worstOf(await storedAnew(kind, config), rows, factor)).toBeLessThan(1e-4 * factor);
  });
});

describe('a table for each side, beside one for both that is not used', () => {
  const apart = (tensors: Tensors): void => {
    const shared = tensors.get('model.shared.weight') as RawTensor;
    for (const name of ['model.encoder.embed_tokens.weight', 'model.decoder.embed_tokens.weight', 'lm_head.weight']) {
      tensors.set(name, shared);
    }
    tensors.set('model.shared.weight', { ...shared, data: new Uint8Array(shared.data.length) });
  };

  it.each(['bart', 'mbart'])('of %s', async (kind) => {
    const { rows } = await encoderDecoderGoldens(kind);
    expect(await worstOf(await storedAnew(kind, { tie_word_embeddings: false }, apart), rows)).toBeLessThan(1e-4);
  });

  it('of M2M-100 is refused by the field', async () => {
    const folder = await storedAnew('m2m100', { tie_word_embeddings: false }, apart);
    const error = await refusal(() => importModel(folder, join(folder, 'model')));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'tie_word_embeddings' } });
  });
});
