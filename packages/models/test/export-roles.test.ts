import * as runtime from 'onnxruntime-common';
import { expect, it } from 'vitest';
import { givenStates } from '../src/families/onnx-export/encoder-states.js';
import type { ExportGraph, OnnxExportManifest } from '../src/families/onnx-export/export-manifest.js';
import { decoderRoles } from '../src/families/onnx-export/export-roles.js';
import { stepRoles } from '../src/families/onnx-export/step-roles.js';
import { openModelFolder } from '../src/index.js';
import { exportFolder } from './export-folders.js';

type Graphs = Readonly<Record<keyof OnnxExportManifest['graphs'], ExportGraph>>;
type Sides = 'inputs' | 'outputs';

/** A graph that says another size of one of its inputs or outputs. */
function altered(graph: ExportGraph, side: Sides, name: string, axis: number, size: number | null): ExportGraph {
  const value = graph[side][name];
  const dims = value.dims.map((one, at) => (at === axis ? size : one));
  return { ...graph, [side]: { ...graph[side], [name]: { ...value, dims } } };
}

const { manifest } = await openModelFolder(exportFolder('bart'));
const { graphs } = manifest as unknown as { readonly graphs: Graphs };
const { encoder, decoder, decoderWithPast } = graphs;
const OTHER: Readonly<Record<string, [Graphs, RegExp]>> = {
  'the encoder gives other states': [
    { ...graphs, encoder: altered(encoder, 'outputs', 'last_hidden_state', 2, 20) },
    /decoder_model\.onnx takes encoder_hidden_states as .*16\].*encoder_model\.onnx gives .*20\].*Fetch graphs of one model/,
  ],
  'the decoder takes other states': [
    { ...graphs, decoder: altered(decoder, 'inputs', 'encoder_hidden_states', 2, 20) },
    /decoder_model\.onnx takes encoder_hidden_states as .*20\]/,
  ],
  'what goes on has other heads': [
    { ...graphs, decoderWithPast: altered(decoderWithPast, 'inputs', 'past_key_values.1.decoder.value', 1, 4) },
    /decoder_with_past_model\.onnx takes past_key_values\.1\.decoder\.value as .*decoder_model\.onnx gives present\.1/,
  ],
  'what goes on has heads of another size, of sources': [
    { ...graphs, decoderWithPast: altered(decoderWithPast, 'inputs', 'past_key_values.0.encoder.key', 3, 9) },
    /takes past_key_values\.0\.encoder\.key as/,
  ],
};

it.each(Object.entries(OTHER))('graphs of different models are refused by what they say: %s', (_, [given, message]) => {
  expect(() => stepRoles({ graphs: given })).toThrow(message);
  expect(() => stepRoles({ graphs: given })).toThrow(expect.objectContaining({ code: 'INVALID_MODEL_FOLDER' }));
});

/** A graph without some of its inputs or outputs. */
function without(graph: ExportGraph, side: Sides, name: RegExp): ExportGraph {
  return { ...graph, [side]: Object.fromEntries(Object.entries(graph[side]).filter(([own]) => !name.test(own))) };
}

it.each([
  [
    'a cache',
    { ...graphs, decoder: without(decoder, 'inputs', /^past/), decoderWithPast: undefined },
    'decoder_model.onnx cannot be driven as it is: it has no input past_key_values.0.key for a cache. Export the model with a cache, for example with the task text2text-generation-with-past or text-generation-with-past.',
  ],
  [
    'scores',
    { ...graphs, decoder: without(decoder, 'outputs', /^logits$/) },
    'decoder_model.onnx cannot be driven as it is: it has no output logits for scores. Import the weights instead, or export the model in another way.',
  ],
  [
    'what its encoder reads',
    { ...graphs, encoder: without(encoder, 'inputs', /^input_ids$/) },
    'encoder_model.onnx cannot be driven as it is: it has no input input_ids for token ids, and neither input_values for samples of sound nor input_features for spectra. Import the weights instead, or export the model in another way.',
  ],
] as const)('an export that lacks %s is refused in whole sentences', (_, given, message) => {
  expect(() => stepRoles({ graphs: given })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message }));
});

it('a graph that reads numbers and no tokens is said to be imported with its labels', () => {
  const value = { type: 'float32', dims: [null, null] } as const;
  const sound = { file: 'onnx/model.onnx', inputs: { input_values: value }, outputs: decoder.outputs };
  expect(() => decoderRoles(sound)).toThrow(
    /input_values is float32 .* is required\. If it is a CTC model, import its folder, or this graph with its labels: foretoken import onnx\/model\.onnx --dictionary vocab\.json --out my-model\.$/,
  );
});

it('takes graphs that leave sizes open', () => {
  const open = altered(encoder, 'outputs', 'last_hidden_state', 2, null);
  expect(() => stepRoles({ graphs: { ...graphs, encoder: open } })).not.toThrow();
});

it('gives states in the element type that the decoder takes', () => {
  const floats = Float32Array.of(0, 1, -2.5, 65_504);
  const halves = Uint16Array.of(0, 0x3c00, 0xc100, 0x7bff);
  const single = new runtime.Tensor('float32', floats, [1, 1, 4]);
  const half = new runtime.Tensor('float16', halves, [1, 1, 4]);
  const roles = { file: 'e.onnx', input: 'i', reads: 'tokens', states: 's', caches: new Map() } as const;
  const given = (states: runtime.Tensor, type: string | undefined) =>
    givenStates({ s: states }, roles, { type, caches: [], cacheType: undefined }, 1);
  expect(given(single, 'float16').values).toEqual(halves);
  expect(given(half, 'float32').values).toEqual(floats);
  expect(given(half, 'float16')).toEqual({ length: 1, values: halves, caches: undefined });
  expect(given(single, undefined).values).toEqual(floats);
  const cache = new runtime.Tensor('float16', halves, [1, 2, 1, 2]);
  const { length, values, caches } = givenStates(
    { c: cache },
    roles,
    { type: undefined, caches: ['c'], cacheType: 'float32' },
    1,
  );
  expect([length, values.length, caches]).toEqual([
    1,
    0,
    { lanes: 1, length: 1, parts: [{ heads: 2, size: 2, values: floats }] },
  ]);
});
