import { access, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beamSearch } from '@foretoken/beam';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { openForests, openSessions } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { adversarialDrafter, DRAFT_KINDS, logSoftmax, tokenForestConformance } from '@foretoken/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel, inspectWeights } from '../src/index.js';

interface Expected {
  readonly sources: readonly (readonly number[])[];
  readonly output: readonly number[];
  readonly logits: readonly (readonly (readonly number[])[])[];
  readonly greedy: readonly (readonly number[])[];
}

const GOLDENS = fileURLToPath(new URL('./goldens/recurrent', import.meta.url));
const EXPECTED = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8')) as Readonly<
  Record<string, Expected>
>;
const NAMES = Object.keys(EXPECTED);
const END = 2;
const SIZE = 11;

const before = { forests: openForests(), sessions: openSessions() };
let parent: string;
const models = new Map<string, LoadedModel>();
const modelOf = (name: string): LoadedModel => models.get(name) as LoadedModel;
const sourcesOf = (name: string) => EXPECTED[name].sources.map((source) => Int32Array.from(source));

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'foretoken-recurrent-'));
  for (const name of NAMES) {
    await importModel(join(GOLDENS, name), join(parent, name), { weights: 'float32' });
    models.set(name, await loadModel(join(parent, name)));
  }
});

afterAll(async () => {
  for (const model of models.values()) await model.dispose();
  await rm(parent, { recursive: true });
  expect({ forests: openForests(), sessions: openSessions() }).toEqual(before);
});

/** Logits of what follows each token of an output, by the forest. */
async function logitsOf(name: string, output: readonly number[]): Promise<number[][][]> {
  const sources = sourcesOf(name);
  await using forest = await modelOf(name).part('autoregressive').open(sources);
  const rows: number[][][] = [];
  for (const row of sources.keys()) {
    const nodes = new NodeBatch();
    const { prefix } = forest.start(row);
    const last = nodes.addChain(row, ROOT, [...prefix], 'last');
    nodes.addChain(row, last, [...output], 'all');
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    rows.push(
      Array.from({ length: logits.length / SIZE }, (_, at) => [...logits.subarray(at * SIZE, (at + 1) * SIZE)]),
    );
  }
  return rows;
}

/** A copy of a fixture whose config says otherwise. */
async function toldFolder(name: string, told: object): Promise<string> {
  const folder = await mkdtemp(join(parent, 'told-'));
  await cp(join(GOLDENS, name), folder, { recursive: true });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...told }));
  return folder;
}

it.each(['int8', 'int4'] as const)('refuses to be stored in %s, and writes nothing', async (weights) => {
  const target = join(parent, weights);
  await expect(importModel(join(GOLDENS, NAMES[0]), target, { weights })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('a recurrent model, whose weights can be stored as float32 or float16 only'),
    details: { option: 'weights', received: weights, required: ['float32', 'float16'] },
  });
  await expect(access(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

it.each([
  ['fewer layers', 'gru-two', { num_layers: 1 }, '_l1'],
  ['no attention', 'gru-two', { attention: 'none' }, 'attention.'],
  ['another place for the attention', 'lstm-additive', { attention_place: 'after', attention: 'dot' }, 'attention.'],
  ['no biases', 'lstm-dot', { bias: false }, 'rnn.bias_'],
  ['one direction', 'lstm-additive', { bidirectional: false }, 'encoder.rnn.'],
] as const)('refuses weights that the config leaves out: %s', async (_, name, told, tensor) => {
  const folder = await toldFolder(name, told);
  const target = join(folder, 'imported');
  await expect(importModel(folder, target, { weights: 'float32' })).rejects.toMatchObject({
    code: 'INVALID_MODEL_FOLDER',
    details: { file: 'model.safetensors', field: expect.stringContaining(tensor) },
  });
  await expect(access(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

it.each([
  ['num_layer', 'lstm-dot', { num_layer: 2 }, 'num_layer', /Did you mean num_layers\?/],
  ['another spelling', 'lstm-dot', { numLayers: 2 }, 'numLayers', /Did you mean num_layers\?/],
  ['a part that is not done here', 'gru-two', { layer_norm: true }, 'layer_norm', /no field of a recurrent model/],
  ['the name of a method', 'gru-two', { toString: 1 }, 'toString', /no field of a recurrent model/],
  ['an activation of LSTM', 'lstm-dot', { activation: 'relu' }, 'activation', /needs "tanh"/],
  ['directions without sources', 'gru-language', { bidirectional: true }, 'bidirectional', /source_vocab_size/],
  ['padding without sources', 'gru-language', { source_pad_token_id: 0 }, 'source_pad_token_id', /source_vocab_size/],
  ['a place for no attention', 'gru', { attention_place: 'before' }, 'attention_place', /without attention/],
  [
    'a tensor of no part',
    'lstm-dot',
    { tensors: { 'decoder.rnn.weight_ih_l9': 'x' } },
    'tensors.decoder.rnn.weight_ih_l9',
    /Did you mean decoder\.rnn\.weight_ih_l0/,
  ],
] as const)('refuses what a config says in vain: %s', async (_, name, told, field, message) => {
  const folder = await toldFolder(name, told);
  const refused = { code: 'INVALID_MODEL_FOLDER', message: expect.stringMatching(message), details: { field } };
  const target = join(folder, 'imported');
  await expect(importModel(folder, target, { weights: 'float32' })).rejects.toMatchObject(refused);
  await expect(inspectWeights(folder)).rejects.toMatchObject(refused);
  await expect(access(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('says that symbols.json is missing, which says the symbols', async () => {
  const folder = await toldFolder('lstm-dot', {});
  await rm(join(folder, 'symbols.json'));
  await expect(importModel(folder, join(folder, 'imported'))).rejects.toMatchObject({
    code: 'INVALID_MODEL_FOLDER',
    message: expect.stringMatching(/^symbols\.json is missing from .*It lists the symbols of the model/),
    details: { file: 'symbols.json' },
  });
});

it.each([
  ['lstm-dot/model.safetensors', /^model\.safetensors in .* is a file of safetensors, .*Give the folder that holds it/],
  ['gru/weights.npz', /^weights\.npz in .* is an archive of numpy, .*Give the folder that holds it/],
])('says of a lone file what it is: %s', async (file, message) => {
  await expect(importModel(join(GOLDENS, file), join(parent, 'lone'))).rejects.toMatchObject({
    code: 'INVALID_MODEL_FOLDER',
    message: expect.stringMatching(message),
  });
});

it('takes what writers of configs add', async () => {
  const told = {
    architectures: ['Seq2Seq'],
    torch_dtype: 'float32',
    transformers_version: '4.57.6',
    dropout: 0.1,
    proj_size: null,
  };
  const folder = await toldFolder('lstm-dot', told);
  const target = join(folder, 'imported');
  await importModel(folder, target, { weights: 'float32' });
  await expect(access(join(target, 'step.onnx'))).resolves.toBeUndefined();
});

describe.each(NAMES)('%s from weights of PyTorch', (name) => {
  it('has the logits of torch', async () => {
    const { output, logits } = EXPECTED[name];
    const own = await logitsOf(name, output);
    for (const [row, expected] of logits.entries()) {
      expect(own[row].length).toBe(expected.length);
      for (const [at, scores] of expected.entries()) {
        for (const [id, score] of scores.entries()) expect(Math.abs(own[row][at][id] - score)).toBeLessThan(1e-4);
      }
    }
  });

  it('is greedy as torch is, alone, together and with drafts of any kind', async () => {
    const { greedy: expected } = EXPECTED[name];
    const model = modelOf(name).part('autoregressive');
    const sources = sourcesOf(name);
    const { collect } = await import('@foretoken/core');
    const outputs = async (decoder: ReturnType<typeof greedy>, of = sources) => {
      const { results } = await collect(decoder.decode(model, { sources: of, maxNewTokens: 8 }));
      return results.map(({ best }) => [...best.tokenIds]);
    };
    expect(await outputs(greedy())).toEqual(expected);
    for (const [row, source] of sources.entries()) expect(await outputs(greedy(), [source])).toEqual([expected[row]]);
    const { vocabulary } = model;
    expect(await outputs(speculative({ drafter: ngramDrafter({ vocabulary }) }))).toEqual(expected);
    const score = (_: Int32Array, output: readonly number[]) =>
      Float64Array.from({ length: SIZE }, (__, id) => (id === (output.at(-1) ?? 3) ? 1 : 0));
    for (const kind of DRAFT_KINDS) {
      const drafter = adversarialDrafter({ kind, score, vocabularySize: SIZE, endTokenId: END, seed: 3 });
      expect(await outputs(speculative({ drafter })), kind).toEqual(expected);
    }
  });
});

describe('a recurrent model', () => {
  it('finds by beam search what trying every output finds', async () => {
    const { collect } = await import('@foretoken/core');
    for (const name of ['gru-additive', 'lstm-additive', 'rnn']) {
      const model = modelOf(name).part('autoregressive');
      const sources = sourcesOf(name);
      const first = await logitsOf(name, []);
      const best = sources.map(() => ({ tokenIds: [] as number[], logProb: Number.NEGATIVE_INFINITY }));
      for (let token = 0; token < SIZE; token++) {
        const second = await logitsOf(name, [token]);
        for (const row of sources.keys()) {
          const one = logSoftmax(first[row][0]);
          const two = logSoftmax(second[row][1]);
          const candidates = token === END ? [{ tokenIds: [], logProb: one[END] }] : [];
          if (token !== END) {
            for (let next = 0; next < SIZE; next++) {
              candidates.push({
                tokenIds: (next === END ? [token] : [token, next]) as never,
                logProb: one[token] + two[next],
              });
            }
          }
          for (const candidate of candidates) if (candidate.logProb > best[row].logProb) best[row] = candidate;
        }
      }
      const wide = beamSearch({ beamSize: SIZE, lengthPenalty: 0, stopWhen: 'improvement-impossible' });
      const { results } = await collect(wide.decode(model, { sources, maxNewTokens: 2 }));
      expect(
        results.map(({ best: { tokenIds } }) => [...tokenIds]),
        name,
      ).toEqual(best.map(({ tokenIds }) => tokenIds));
    }
  });

  it('reads and writes text by its symbols', async () => {
    const model = modelOf('gru-two');
    const { tokenizer } = model;
    expect([...tokenizer.encode('uv?')]).toEqual([3, 4, 1, 2]);
    const { text, unknownTokens } = await model.decode('uv?', greedy(), { maxNewTokens: 4 });
    expect(unknownTokens).toBe(1);
    expect(text).toMatch(/^[a-h]*$/);
    expect(model.description.architecture).toBe(
      'GRU encoder-decoder, 2 layers, width 6, encoder of two directions, general attention after the step',
    );
    const language = modelOf('gru-language');
    const prompted = await language.decode('bc', sampling({ temperature: 0.8 }), { maxNewTokens: 5, seed: 4 });
    expect([...prompted.source]).toEqual([4, 5]);
    expect(prompted.tokenIds.length).toBeLessThanOrEqual(5);
    await expect(language.decode('b?', greedy())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  for (const name of ['gru-additive', 'lstm', 'rnn-relu-before']) {
    tokenForestConformance({
      runner: { describe, it },
      name,
      createModel: () => modelOf(name).part('autoregressive'),
      sources: sourcesOf(name),
      tolerance: 1e-5,
      scripts: 1,
    });
  }
});
