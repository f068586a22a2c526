import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { collect } from '@foretoken/core';
import { wireFields, wireMessage } from '@foretoken/core/internal';
import { greedy } from '@foretoken/greedy';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HubServer } from '../../hub/test/hub-server.js';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { field, message } from '../../models/test/onnx-fixtures.js';
import { writeTinyMarian } from '../../models/test/tiny-marian.js';
import { importCtcModel, importModel, inspectWeights } from '../src/index.js';
import { SOUND_LABELS, writeSoundGraph } from './ctc-sound-fixture.js';

const EXPORT = join(import.meta.dirname, '../../models/test/goldens/exports/marian');
const GGUF = join(import.meta.dirname, 'goldens/gguf');

const contents = async (folder: string): Promise<Record<string, Uint8Array>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const name = (path: string): string => relative(folder, path).replaceAll('\\', '/');
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [name(path), await readFile(path)] as const)));
};

/** A graph that keeps its larger weights behind what other graphs keep in `weights.bin`. */
function keptOutside(graph: Uint8Array, weights: Uint8Array[]): Uint8Array {
  const copied = (bytes: Uint8Array, replaced: number, by: (part: Uint8Array) => Uint8Array): Uint8Array =>
    message(
      ...[...wireFields(bytes)].map(({ number, value = 0n }) =>
        field(number, number === replaced && value instanceof Uint8Array ? by(value) : value),
      ),
    );
  return copied(graph, 7, (main) =>
    copied(main, 5, (tensor) => {
      const raw = wireMessage(tensor, 9);
      if (raw === undefined || raw.length < 256) return tensor;
      const offset = weights.reduce((sum, { length }) => sum + length, 0);
      weights.push(raw);
      const entry = (key: string, value: string | number) => field(13, message(field(1, key), field(2, `${value}`)));
      const kept = [...wireFields(tensor)].flatMap(({ number, value = 0n }) =>
        number === 9 ? [] : field(number, value),
      );
      const place = [entry('location', 'weights.bin'), entry('offset', offset), entry('length', raw.length)];
      return message(...kept, ...place, field(14, 1));
    }),
  );
}

let server: HubServer | undefined;
const serve = async (given: string | Record<string, Uint8Array>): Promise<string> => {
  server = new HubServer(typeof given === 'string' ? await contents(given) : given);
  const endpoint = await server.start();
  const cache = await temporaryFolder();
  vi.stubEnv('HF_ENDPOINT', endpoint);
  vi.stubEnv('HF_HUB_OFFLINE', '0');
  vi.stubEnv('FORETOKEN_CACHE', cache);
  return endpoint;
};
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
});

const tokensOf = async (model: LoadedModel): Promise<readonly number[]> => {
  const request = { sources: [Int32Array.of(5, 6, 7)], maxNewTokens: 6 };
  return [...(await collect(greedy().decode(model.part('autoregressive'), request))).results[0].best.tokenIds];
};

describe('a model on the hub', () => {
  test('is imported by its name there, and the folder loaded from there decodes the same', async () => {
    const weights = await writeTinyMarian();
    await serve(weights);
    const target = join(await temporaryFolder(), 'model');
    const manifest = await importModel('hub:owner/name', target);
    expect(manifest.name).toBe('name');
    await server?.stop();

    await serve(target);
    const files: string[] = [];
    await using fromHub = await loadModel('hub:owner/name', {
      probe: false,
      onProgress: (progress) => {
        if (progress.stage === 'read') files.push(progress.file);
      },
    });
    await using fromDisk = await loadModel(target, { probe: false });
    const [first, second] = [await fromHub.decode('abc', greedy()), await fromDisk.decode('abc', greedy())];
    expect([...first.tokenIds]).toEqual([...second.tokenIds]);
    expect(files).toContain('encoder.onnx');
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await server?.stop();
    await using kept = await loadModel('hub:owner/name', { probe: false });
    expect(kept.manifest).toEqual(fromDisk.manifest);
  });

  test('that holds weights is no model folder yet', async () => {
    await serve(await writeTinyMarian());
    const error = await refusal(() => loadModel('hub:owner/name'));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain('import');
  });

  test.each(['whisper/ctranslate2', 'ctranslate2-decoders/gpt2-int8_float16'])(
    'that CTranslate2 wrote (%s) is imported by its name there, and is no model folder yet',
    async (written) => {
      const converted = join(import.meta.dirname, 'goldens', written);
      await serve(converted);
      const [fromHub, fromDisk] = [join(await temporaryFolder(), 'hub'), join(await temporaryFolder(), 'disk')];
      const { files, ...imported } = await importModel('hub:owner/name', fromHub, { name: 'same' });
      const { files: same, ...direct } = await importModel(converted, fromDisk, { name: 'same' });
      expect(imported).toEqual(direct);
      expect(Object.keys(files)).toEqual(Object.keys(same));
      const error = await refusal(() => loadModel('hub:owner/name'));
      expect(error.code).toBe('INVALID_MODEL_FOLDER');
      expect(error.message).toContain('foretoken import hub:owner/name');
    },
  );

  test('that onnxruntime-genai built with an encoder is loaded as it lies there, with nothing else of it', async () => {
    const built = await contents(join(EXPORT, '../genai-spectra'));
    await serve({ ...built, 'vad.onnx': built['encoder.onnx'], 'README.md': new Uint8Array() });
    await using fromHub = await loadModel('hub:owner/name', { probe: false });
    await using fromDisk = await loadModel(join(EXPORT, '../genai-spectra'), { probe: false });
    expect(fromHub.manifest).toEqual({ ...fromDisk.manifest, name: fromHub.manifest.name });
    expect(Object.keys(fromHub.manifest.files)).toContain('encoder.onnx.data');
    expect(fromHub.description.architecture).toBe(fromDisk.description.architecture);
  });

  test('that is one of several GGUF files is imported by its quantisation', async () => {
    const [first, second] = await Promise.all(
      ['llama-byte-level.gguf', 'qwen3.gguf'].map((name) => readFile(join(GGUF, name))),
    );
    await serve({ 'tiny-F32.gguf': first, 'tiny-Q8_0.gguf': second });
    const [fromHub, fromDisk] = [join(await temporaryFolder(), 'hub'), join(await temporaryFolder(), 'disk')];
    const refused = await refusal(() => importModel('hub:owner/name', fromHub));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'quantisation' } });
    const { manifest } = await inspectWeights('hub:owner/name', undefined, 'q8_0');
    const { files, ...imported } = await importModel('hub:owner/name', fromHub, { quantisation: 'Q8_0' });
    expect([imported.vocabulary, imported.limits]).toEqual([manifest.vocabulary, manifest.limits]);
    expect(files).toEqual((await importModel(join(GGUF, 'qwen3.gguf'), fromDisk)).files);
    // That model is whole in its own folder, so the other is asked for.
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const other = () => importModel('hub:owner/name', fromHub, { quantisation: 'F32', replace: true });
    expect((await refusal(other)).code).toBe('INVALID_ARGUMENT');
  });

  test('that is the export of a CTC model is imported with what describes it, also where weights lie beside it', async () => {
    const graph = await readFile(await writeSoundGraph(await temporaryFolder()));
    const ids = Object.fromEntries(SOUND_LABELS.map((label, id) => [label, id]));
    const files = {
      'config.json': Buffer.from('{"architectures":["Wav2Vec2ForCTC"]}'),
      'vocab.json': Buffer.from(JSON.stringify(ids)),
      'preprocessor_config.json': Buffer.from('{"do_normalize":true}'),
      'onnx/model.onnx': graph,
      'onnx/model_q4.onnx': graph,
    };
    const target = join(await temporaryFolder(), 'model');
    await serve(files);
    const sound = { sampleRate: 16_000, normalised: true };
    expect(await importModel('hub:owner/name', target)).toMatchObject({ name: 'name', family: 'ctc', sound });
    expect(server?.requests.filter(({ url }) => url.includes('q4'))).toEqual([]);
    await server?.stop();
    await serve({ ...files, 'model.safetensors': Uint8Array.of(0) });
    expect(await importCtcModel('hub:owner/name', target, { replace: true })).toMatchObject({ family: 'ctc', sound });
  });

  test('a quantisation of a path, and of what is no name, is refused', async () => {
    for (const [location, quantisation] of [
      [join(GGUF, 'qwen3.gguf'), 'Q8_0'],
      ['hub:owner/name', 'Q8/0'],
    ] as const) {
      const error = await refusal(() => importModel(location, 'never', { quantisation }));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'quantisation' } });
    }
  });

  test('that is an export beside weights is loaded in the precision that is asked for', async () => {
    await serve({ ...(await contents(EXPORT)), 'model.safetensors': Uint8Array.of(0) });
    const refused = await refusal(() => loadModel('hub:owner/name', { probe: false }));
    expect(refused.message).toContain('option precision');
    await using fromHub = await loadModel('hub:owner/name', { probe: false, precision: 'q8' });
    await using fromDisk = await loadModel(EXPORT, { probe: false, precision: 'q8' });
    expect(await tokensOf(fromHub)).toEqual(await tokensOf(fromDisk));
    const graphs = server?.requests.filter(({ url }) => /resolve.*\.onnx/.test(url)) ?? [];
    expect(graphs.map(({ url }) => url.split('/').at(-1)).sort()).toEqual([
      'decoder_model_merged_quantized.onnx',
      'encoder_model_quantized.onnx',
    ]);
  });

  test('whose graphs keep weights in one file of another name is loaded, offline too', async () => {
    const weights: Uint8Array[] = [];
    const moved = Object.entries(await contents(EXPORT)).flatMap(([name, content]) => {
      if (!name.endsWith('.onnx')) return [[name, content] as const];
      return /(merged|encoder_model)\.onnx$/.test(name) ? [[name, keptOutside(content, weights)] as const] : [];
    });
    expect(weights.length).toBeGreaterThan(4);
    await serve({ ...Object.fromEntries(moved), 'onnx/weights.bin': Buffer.concat(weights) });
    const load = () => loadModel('hub:owner/name', { probe: false, improveGraph: false });
    await using fromHub = await load();
    await using fromDisk = await loadModel(EXPORT, { probe: false, improveGraph: false });
    expect(await tokensOf(fromHub)).toEqual(await tokensOf(fromDisk));
    const fetched = server?.requests.filter(({ url }) => url.includes('/resolve/')) ?? [];
    expect(fetched.filter(({ url }) => url.endsWith('/weights.bin'))).toHaveLength(1);
    await server?.stop();
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await using kept = await load();
    expect(await tokensOf(kept)).toEqual(await tokensOf(fromDisk));
  });

  test('that is an export of a speech model comes with all that says what it is told', async () => {
    const folder = join(EXPORT, '../spectra');
    await serve(folder);
    await using fromHub = await loadModel('hub:owner/name', { probe: false, precision: 'fp16' });
    await using fromDisk = await loadModel(folder, { probe: false, precision: 'fp16' });
    const { name: _, ...manifest } = fromDisk.manifest;
    expect(fromHub.manifest).toMatchObject(manifest);
    const asked = server?.requests.flatMap(({ url }) => /resolve\/[^/]+\/(.*)/.exec(url)?.[1] ?? []) ?? [];
    expect([...new Set(asked)].sort()).toEqual([
      'config.json',
      'generation_config.json',
      'onnx/decoder_model_merged_fp16.onnx',
      'onnx/encoder_model_fp16.onnx',
      'preprocessor_config.json',
      'tokenizer.json',
    ]);
  });

  test('with a name that is none is refused', async () => {
    const error = await refusal(() => loadModel('hub:owner'));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain('hub:owner/name');
  });
});
