import { createHash } from 'node:crypto';
import { appendFile, link, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import * as runtime from 'onnxruntime-node';
import { beforeEach, describe, expect, test } from 'vitest';
import { GraphSessions } from '../src/drivers/graph-sessions.js';
import type { HeadGraphFiles } from '../src/folder/internal.js';
import { type LoadedModel, loadModel, type MarianManifest, readGraph } from '../src/index.js';
import { openModelFolder } from '../src/node/open-model-folder.js';
import { editManifest, refusal, temporaryFolder } from './folder-fixtures.js';
import { externalTensor, field, message, node, onnx, sum, tensorAttribute } from './onnx-fixtures.js';
import { TINY, writeTinyMarian } from './tiny-marian.js';

const SOURCES = [Int32Array.of(3, 7, 12, 2), Int32Array.of(9, 4, 2)];

async function greedily(model: LoadedModel): Promise<unknown> {
  return collect(greedy().decode(model.part('autoregressive'), { sources: SOURCES, maxNewTokens: 8 })).then(
    ({ results }) => results,
  );
}

/** Needs the graph with a top-k head, which is opened when it is first asked for. */
async function searched(model: LoadedModel): Promise<unknown> {
  return collect(
    beamSearch({ beamSize: 3 }).decode(model.part('autoregressive'), { sources: SOURCES, maxNewTokens: 8 }),
  ).then(({ results }) => results);
}

let folder: string;
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'model');
  await importModel(await writeTinyMarian(TINY, 1), folder, { weights: 'float32' });
});

const load = () => loadModel(folder, { probe: false });

async function replaceByAnother(): Promise<void> {
  await importModel(await writeTinyMarian(TINY, 5), folder, { weights: 'float32', replace: true });
}

describe('a loaded model whose folder is replaced', () => {
  test('goes on with what it has opened, refuses what it has not, and uses it once it is back', async () => {
    const before = await load().then(async (model) => {
      const results = [await greedily(model), await searched(model)];
      await model[Symbol.asyncDispose]();
      return results;
    });
    await using model = await load();
    await rename(folder, `${folder}.old`);
    await importModel(await writeTinyMarian(TINY, 5), folder, { weights: 'float32' });
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await refusal(() => searched(model));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'weights.bin' } });
      expect(error.message).toContain('replaced');
      expect(error.message).toContain('Load the model again');
    }
    expect(await greedily(model)).toEqual(before[0]);
    await using other = await load();
    expect(await greedily(other)).not.toEqual(before[0]);
    await rename(folder, `${folder}.new`);
    expect((await refusal(() => searched(model))).message).toContain('replaced');
    await rename(`${folder}.old`, folder);
    expect(await searched(model)).toEqual(before[1]);
  });

  test.each<[string, (file: string) => Promise<unknown>]>([
    ['written over in place', async (file) => writeFile(file, (await readFile(file)).fill(7))],
    ['cut', (file) => truncate(file, 1000)],
    ['cut to nothing', (file) => truncate(file, 0)],
    ['longer', (file) => appendFile(file, 'x')],
    ['gone', (file) => rm(file)],
  ])('never reads weights that are %s', async (_, change) => {
    await using model = await load();
    const before = await greedily(model);
    await change(join(folder, 'weights.bin'));
    expect(await greedily(model)).toEqual(before);
    expect(await refusal(() => searched(model))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'weights.bin' },
    });
  });

  test('refuses a graph that changed although its weights did not', async () => {
    await using model = await load();
    await appendFile(join(folder, 'step-top-k.onnx'), ' ');
    expect((await refusal(() => searched(model))).details.file).toBe('step-top-k.onnx');
  });

  test('gives bytes that are verified each time they are read', async () => {
    const opened = await openModelFolder(folder);
    const { graph, externalData } = await readGraph(opened, 'encoder.onnx');
    expect(graph).toEqual(new Uint8Array(await readFile(join(folder, 'encoder.onnx'))));
    expect([...(externalData ?? [])].map(([name]) => name)).toEqual(['weights.bin']);
    await replaceByAnother();
    expect((await refusal(() => opened.readBytes('weights.bin'))).message).toContain('replaced');
    expect((await refusal(() => readGraph(opened, 'encoder.onnx'))).message).toContain('replaced');
  });
});

test('graphs that are opened while a model is loaded read their weights once, and later ones anew', async () => {
  const opened = await openModelFolder(folder);
  const read: string[] = [];
  const readBytes = (name: string) => {
    read.push(name);
    return opened.readBytes(name);
  };
  const sessions = new GraphSessions(runtime, { ...opened, readBytes });
  const { encoder, step } = (opened.manifest as MarianManifest).graphs as { encoder: string; step: HeadGraphFiles };
  await Promise.all([sessions.get(encoder), sessions.get(step.argmax), sessions.get(encoder)]);
  await (await sessions.openApart(step.argmax, 1)).dispose();
  expect(read.filter((name) => name === 'weights.bin')).toHaveLength(1);
  sessions.loaded();
  for (const _ of [1, 2]) await sessions.get(step.logits as string);
  expect(read.filter((name) => name === 'weights.bin')).toHaveLength(2);
  await sessions.dispose();
  expect(openSessions()).toBe(0);
});

describe('a folder whose graph reads weights', () => {
  /** Puts another graph in the place of the encoder, as an honest manifest lists it. */
  const withEncoder = async (graph: Uint8Array): Promise<void> => {
    await writeFile(join(folder, 'encoder.onnx'), graph);
    const sha256 = createHash('sha256').update(graph).digest('hex');
    await editManifest(folder, ['files', 'encoder.onnx'], { bytes: graph.length, sha256 });
  };
  const inFunction = (location: string): Uint8Array => {
    const body = [field(4, 'x'), field(5, 'y'), field(7, node('Add', ['x', 'x'], 'y'))];
    const attribute = field(11, tensorAttribute(externalTensor(location)));
    return onnx(
      [field(1, node('f', ['x'], 'y', [], 'own'))],
      [field(25, message(field(1, 'f'), ...body, attribute, field(10, 'own')))],
    );
  };

  test.each(['../x', '/etc/passwd', '*/_ORT_MEM_ADDR_/*', 'secret.bin', 'linked.bin', 'weights.bin/', './weights.bin'])(
    'from %s is refused, wherever it says so',
    async (location) => {
      await writeFile(join(folder, 'secret.bin'), new Uint8Array(8));
      await link(join(folder, 'weights.bin'), join(folder, 'linked.bin'));
      for (const graph of [sum(externalTensor(location)), inFunction(location)]) {
        await withEncoder(graph);
        expect(await refusal(load)).toMatchObject({
          code: 'INVALID_MODEL_FOLDER',
          details: { file: 'encoder.onnx', received: location },
        });
      }
      expect(openSessions()).toBe(0);
    },
  );

  test('from a listed file in a function is not supported: the runtime would look for it on disk', async () => {
    await withEncoder(inFunction('weights.bin'));
    const error = await refusal(load);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'encoder.onnx' } });
    expect(error.message).toContain('function');
  });

  test.each(['encoder.ort', 'encoder.onnx.ort', 'encoder.ORT'])('and is called %s is refused', async (name) => {
    await rename(join(folder, 'encoder.onnx'), join(folder, name));
    const { files } = JSON.parse(await readFile(join(folder, 'foretoken.json'), 'utf8')) as {
      files: Record<string, unknown>;
    };
    const { 'encoder.onnx': record, ...others } = files;
    await editManifest(folder, ['files'], { ...others, [name]: record });
    await editManifest(folder, ['graphs', 'encoder'], name);
    expect(await refusal(load)).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: name, field: 'identifier', required: 'ORTM' },
    });
  });
});
