import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect, type TokenSource } from '@foretoken/core';
import type { Feeds } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import * as runtime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { ExportEncoder } from '../src/families/onnx-export/export-encoder.js';
import { encoderRoles } from '../src/families/onnx-export/export-roles.js';
import { ExportSources } from '../src/families/onnx-export/export-sources.js';
import { loadModel } from '../src/index.js';
import { expectedRows, exportCopy } from './export-folders.js';

/** A folder of T5 that says of itself what onnxruntime-genai would. */
async function asGenai(): Promise<string> {
  const folder = await exportCopy('t5', 'config.json', 'generation_config.json');
  const layers = (side: 'past_key_values' | 'present', of: 'decoder' | 'encoder', part: string) =>
    `${side}.%d.${of}.${part}`;
  const decoder = {
    filename: 'decoder_model_merged.onnx',
    num_hidden_layers: 2,
    inputs: {
      past_key_names: layers('past_key_values', 'decoder', 'key'),
      past_value_names: layers('past_key_values', 'decoder', 'value'),
      cross_past_key_names: layers('past_key_values', 'encoder', 'key'),
      cross_past_value_names: layers('past_key_values', 'encoder', 'value'),
    },
    outputs: {
      present_key_names: layers('present', 'decoder', 'key'),
      present_value_names: layers('present', 'decoder', 'value'),
    },
  };
  const encoder = { filename: 'encoder_model.onnx', outputs: { encoder_hidden_states: 'last_hidden_state' } };
  const tokens = { decoder_start_token_id: 0, pad_token_id: 0, eos_token_id: 1, vocab_size: 44, context_length: 64 };
  await writeFile(
    join(folder, 'genai_config.json'),
    JSON.stringify({ model: { type: 't5', ...tokens, encoder, decoder } }),
  );
  return folder;
}

describe('a folder of onnxruntime-genai with an encoder of text', () => {
  it('decodes as the exported model does, greedily and in beams', async () => {
    const folder = await asGenai();
    await using model = await loadModel(folder, { probe: false });
    await rm(folder, { recursive: true });
    const rows = await expectedRows('t5');
    const request = { sources: rows.map(({ source }): TokenSource => Int32Array.from(source)), maxNewTokens: 20 };
    const target = model.part('autoregressive');
    const plain = (await collect(greedy().decode(target, request))).results;
    expect(plain.map(({ best }) => [...best.tokenIds])).toEqual(rows.map((row) => row.greedy));
    const beams = beamSearch({ beamSize: 4, hypotheses: 4, stopWhen: 'improvement-unlikely', lengthPenalty: 1 });
    const { results } = await collect(beams.decode(target, request));
    expect(results.map(({ hypotheses }) => hypotheses.map(({ tokenIds }) => [...tokenIds]))).toEqual(
      rows.map(({ beam }) => beam),
    );
  });

  it('gives a decoder keys and values of sources of different lengths, each without its padding', async () => {
    const value = (type: string, ...dims: (number | null)[]) => ({ type, dims });
    const roles = encoderRoles({
      file: 'encoder.onnx',
      inputs: { ids: value('int64', null, null), attention_mask: value('int64', null, null) },
      outputs: { states: value('float32', null, null, 1), keys: value('float32', null, 2, null, 1) },
      names: { ids: 'input_ids', states: 'last_hidden_state', keys: 'present.0.encoder.key' },
    });
    expect(roles).toMatchObject({ reads: 'tokens', input: 'ids', mask: 'attention_mask', states: 'states' });
    const asked: string[] = [];
    // Keys of two heads: the token, and its negative; of padding as well.
    const session = {
      inputType: () => 'int64',
      async run({ ids }: Feeds, names: readonly string[] = []) {
        asked.push(...names);
        const [rows, time] = ids.dims;
        const tokens = Array.from(ids.data as BigInt64Array, Number);
        const keys = Array.from({ length: rows }, (_, row) => tokens.slice(row * time, (row + 1) * time)).flatMap(
          (row) => [...row, ...row.map((token) => -token)],
        );
        return { keys: new runtime.Tensor('float32', Float32Array.from(keys), [rows, 2, time, 1]) };
      },
    };
    const encoder = new ExportEncoder({
      runtime,
      session: async () => session as never,
      roles,
      taken: { type: undefined, caches: ['keys'], cacheType: 'float32' },
      sourceLength: 9,
      vocabularySize: 99,
      padTokenId: 7,
    });
    const { sources } = await encoder.encode([Int32Array.of(1, 2, 3, 4), Int32Array.of(5, 6)]);
    expect(asked).toEqual(['keys']);
    const given = new ExportSources(runtime, sources, { maskPlaces: 'none' });
    expect([given.kindOf(0), given.kindOf(1)]).toEqual([4, 2]);
    const block = (...rows: number[]) => {
      const { lanes, length, parts } = given.cross(Int32Array.from(rows));
      return [lanes, length, ...parts.map(({ heads, size, values }) => [heads, size, ...values])];
    };
    expect(block(1)).toEqual([1, 2, [2, 1, 5, 6, -5, -6]]);
    expect(block(0, 0)).toEqual([2, 4, [2, 1, 1, 2, 3, 4, -1, -2, -3, -4, 1, 2, 3, 4, -1, -2, -3, -4]]);
    given.release(0);
    expect(block(0)).toEqual([1, 2, [2, 1, 5, 6, -5, -6]]);
  });
});
