import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { loadModel } from '@foretoken/models';
import type { CausalLanguageModelManifest } from '@foretoken/models/internal';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { type ImportNote, type ImportOptions, importModel } from '../src/index.js';

const GOLDENS = fileURLToPath(new URL('../../models/test/goldens/causal/', import.meta.url));

/** The weights of a kind, with other fields in its config. */
async function weightsWith(kind: string, fields: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = join(await temporaryFolder(), 'weights');
  await cp(join(GOLDENS, kind), folder, { recursive: true });
  const file = join(folder, 'config.json');
  const config: Record<string, unknown> = { ...JSON.parse(await readFile(file, 'utf8')), ...fields };
  for (const [name, value] of Object.entries(fields)) if (value === undefined) delete config[name];
  await writeFile(file, JSON.stringify(config));
  // What it says would count before the config.
  await rm(join(folder, 'generation_config.json'));
  return folder;
}

async function importWith(kind: string, fields: Readonly<Record<string, unknown>>, options: ImportOptions = {}) {
  const notes: ImportNote[] = [];
  const target = join(await temporaryFolder(), 'model');
  const manifest = await importModel(await weightsWith(kind, fields), target, {
    onNote: (note) => notes.push(note),
    ...options,
  });
  return { manifest: manifest as CausalLanguageModelManifest, notes, target };
}

describe('configs of decoder-only models', () => {
  it.each([
    ['llama', { hidden_act: 'tanh' }, 'UNSUPPORTED_MODEL', 'hidden_act'],
    ['llama', { rope_scaling: { rope_type: 'yarn', factor: 4 } }, 'UNSUPPORTED_MODEL', 'rope_scaling.rope_type'],
    ['llama', { rope_scaling: { type: 'dynamic', factor: 4 } }, 'UNSUPPORTED_MODEL', 'rope_scaling.rope_type'],
    ['llama', { rope_scaling: { type: 'linear' } }, 'INVALID_MODEL_FOLDER', 'rope_scaling.factor'],
    ['llama', { rope_scaling: { type: 'linear', factor: Number.NaN } }, 'INVALID_MODEL_FOLDER', 'rope_scaling.factor'],
    ['llama', { rope_scaling: 'linear' }, 'INVALID_MODEL_FOLDER', 'rope_scaling'],
    ['llama', { rope_theta: 0 }, 'INVALID_MODEL_FOLDER', 'rope_theta'],
    ['llama', { partial_rotary_factor: 0.5 }, 'UNSUPPORTED_MODEL', 'partial_rotary_factor'],
    ['llama', { num_key_value_heads: 3 }, 'INVALID_MODEL_FOLDER', 'num_key_value_heads'],
    [
      'llama',
      { num_attention_heads: 5, num_key_value_heads: 5, head_dim: null },
      'INVALID_MODEL_FOLDER',
      'num_attention_heads',
    ],
    ['llama', { head_dim: 7 }, 'INVALID_MODEL_FOLDER', 'head_dim'],
    ['llama', { tie_word_embeddings: 'yes' }, 'INVALID_MODEL_FOLDER', 'tie_word_embeddings'],
    ['llama', { hidden_size: 1e9 }, 'INVALID_MODEL_FOLDER', 'hidden_size'],
    ['llama', { eos_token_id: 40 }, 'INVALID_MODEL_FOLDER', 'eos_token_id'],
    ['llama', { eos_token_id: [2, 'x'] }, 'INVALID_MODEL_FOLDER', 'eos_token_id'],
    ['llama', { num_hidden_layers: 3 }, 'INVALID_MODEL_FOLDER', 'model.layers.2.input_layernorm.weight'],
    ['qwen2', { tie_word_embeddings: false }, 'INVALID_MODEL_FOLDER', 'lm_head.weight'],
    ['qwen2', { model_type: 'qwen3' }, 'INVALID_MODEL_FOLDER', 'model.layers.0.self_attn.q_norm.weight'],
    ['gpt2', { activation_function: 'tanh' }, 'UNSUPPORTED_MODEL', 'activation_function'],
    ['gpt2', { scale_attn_weights: 'no' }, 'INVALID_MODEL_FOLDER', 'scale_attn_weights'],
    ['gpt2', { tie_word_embeddings: false }, 'INVALID_MODEL_FOLDER', 'lm_head.weight'],
    ['gpt2', { add_cross_attention: true }, 'UNSUPPORTED_MODEL', 'add_cross_attention'],
    ['gpt2', { n_head: 3 }, 'INVALID_MODEL_FOLDER', 'n_head'],
  ] as const)('%s with %j is refused by %s, naming %s', async (kind, fields, code, field) => {
    await expect(importWith(kind, fields)).rejects.toMatchObject({ code, details: { field } });
  });

  it.each(['ctc', 'stepLayout'] as const)('takes no %s', async (option) => {
    const options = option === 'ctc' ? { ctc: 'somewhere' } : ({ stepLayout: 'heads' } as const);
    await expect(importWith('llama', {}, options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option },
    });
  });

  it('hold no more positions than every layer sees, and say why', async () => {
    const { manifest, notes } = await importWith('mistral', {});
    expect(manifest.limits).toEqual({ sourceLength: 48, targetLength: 48 });
    expect(notes.map(({ field }) => field)).toEqual(['sliding_window']);
    for (const fields of [{ sliding_window: null }, { layer_types: ['full_attention', 'full_attention'] }]) {
      expect((await importWith('mistral', fields)).manifest.limits.targetLength).toBe(64);
    }
    // Qwen 2 names a window that it does not use.
    const unused = await importWith('qwen2', { sliding_window: 16, use_sliding_window: false });
    expect(unused.manifest.limits.targetLength).toBe(64);
    const used = await importWith('qwen2', { sliding_window: 16, use_sliding_window: true, layer_types: undefined });
    expect(used.manifest.limits.targetLength).toBe(16);
    const long = await importWith('llama', { max_position_embeddings: 131_072 });
    expect(long.manifest.limits.targetLength).toBe(65_536);
    expect(long.notes.map(({ field }) => field)).toEqual(['max_position_embeddings']);
  });

  it('measure and extend trees with more new tokens than they have positions', async () => {
    const { target } = await importWith('mistral', { sliding_window: 4 });
    await using model = await loadModel(target);
    await using forest = await model.part('autoregressive').open([Int32Array.of(39)]);
    const nodes = new NodeBatch();
    for (let token = 3; token < 9; token++) nodes.addChain(0, ROOT, Int32Array.of(39, token), 'all');
    expect((await forest.extend(nodes, { kind: 'logits' })).logits).toHaveLength(6 * 2 * 40);
  });

  it('end outputs by every token that they name', async () => {
    const { manifest } = await importWith('llama', { eos_token_id: [5, 2, 5, 9] });
    expect(manifest.vocabulary.endTokenId).toBe(5);
    expect(manifest.stopTokenIds).toEqual([2, 9]);
    const none = await importWith('llama', { eos_token_id: null });
    expect(none.manifest.vocabulary.endTokenId).toBeUndefined();
    expect(none.manifest.stopTokenIds).toBeUndefined();
  });

  it.each([
    ['llama', { suppress_tokens: [5, 9] }],
    ['gpt2', { bad_words_ids: [[5], [9]] }],
    ['qwen3', { suppress_tokens: [5], bad_words_ids: [[9], [3, 4]] }],
  ])('leave out tokens that are never to be output: %s', async (kind, fields) => {
    const target = join(await temporaryFolder(), 'model');
    await importModel(await weightsWith(kind, fields), target);
    await using loaded = await loadModel(target, { probe: false });
    const model = loaded.part('autoregressive');
    await using forest = await model.open([Int32Array.of(6, 7)]);
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, forest.start(0).prefix, 'last');
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    const never = [...logits.keys()].filter((tokenId) => logits[tokenId] < -50_000);
    expect(never).toEqual([5, 9]);
  });

  it('are read as transformers 5 writes them', async () => {
    const fields = { rope_parameters: { rope_type: 'default', rope_theta: 10_000 }, rope_theta: undefined };
    await expect(importWith('llama', fields)).resolves.toBeDefined();
  });

  it('come with shards, none of them missing', async () => {
    const folder = await weightsWith('mistral', {});
    await importModel(folder, join(await temporaryFolder(), 'model'));
    await rm(join(folder, 'model-00002-of-00007.safetensors'));
    await expect(importModel(folder, join(await temporaryFolder(), 'model'))).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'model-00002-of-00007.safetensors' },
    });
  });
});
