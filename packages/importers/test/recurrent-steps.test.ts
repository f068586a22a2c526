import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { adversarialDrafter, DRAFT_KINDS } from '@foretoken/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecurrentStepOptions } from '../src/adapters/recurrent/step-options.js';
import { GraphBuilder } from '../src/graphs/graph-builder.js';
import { ModelProto } from '../src/graphs/proto.js';
import { WeightStore } from '../src/graphs/weight-store.js';
import { importModel, importRecurrentSteps } from '../src/index.js';

const GOLDENS = fileURLToPath(new URL('./goldens/recurrent', import.meta.url));
const NAMES = ['gru', 'lstm-additive', 'rnn-relu-before', 'gru-language'];
const before = openSessions();
let parent: string;
let steps = 0;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'foretoken-steps-'));
  for (const name of NAMES) await importModel(join(GOLDENS, name), join(parent, name), { weights: 'float32' });
});
afterAll(async () => {
  await rm(parent, { recursive: true });
  expect(openSessions()).toBe(before);
});

async function optionsOf(name: string): Promise<RecurrentStepOptions> {
  const symbols = JSON.parse(await readFile(join(GOLDENS, name, 'symbols.json'), 'utf8'));
  const encoder = name.endsWith('language') ? undefined : join(parent, name, 'encoder.onnx');
  return { encoder, symbols, startTokenId: 1, endTokenId: 2, maxLength: 24 };
}

type Names = Readonly<Record<string, string>>;

/** The graphs of a model with other names of inputs and outputs. */
async function renamed(name: string, ofEncoder: Names, ofStep: Names): Promise<{ encoder: string; step: string }> {
  const folder = await mkdtemp(join(parent, 'renamed-'));
  await copyFile(join(parent, name, 'weights.bin'), join(folder, 'weights.bin'));
  const rename = async (file: string, names: Names): Promise<string> => {
    const all = new Map(Object.entries(names));
    const named = (own: string): string => all.get(own) ?? own;
    const model = ModelProto.toObject(ModelProto.decode(await readFile(join(parent, name, file)))) as {
      graph: Record<'input' | 'output', { name: string }[]> & { node: Record<'input' | 'output', string[]>[] };
    };
    const { graph } = model;
    for (const value of [...graph.input, ...graph.output]) value.name = named(value.name);
    for (const node of graph.node) {
      for (const side of ['input', 'output'] as const) node[side] = node[side].map(named);
    }
    await writeFile(join(folder, file), ModelProto.encode(ModelProto.fromObject(model)).finish());
    return join(folder, file);
  };
  return { encoder: await rename('encoder.onnx', ofEncoder), step: await rename('step.onnx', ofStep) };
}

describe('recurrent steps as they are exported', () => {
  it.each(NAMES)('%s says what it says when it is imported from weights', async (name) => {
    const expected = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8'))[name];
    const target = join(parent, `${name}-adapted`);
    await importRecurrentSteps(join(parent, name, 'step.onnx'), target, await optionsOf(name));
    await using model = await loadModel(target);
    const sources = expected.sources.map((source: number[]) => Int32Array.from(source));
    const request = { sources, maxNewTokens: 8 };
    const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
    expect(results.map(({ best }) => [...best.tokenIds])).toEqual(expected.greedy);
  });

  it.each([
    ['gru', { hidden: 'enc_h0' }, { hidden: 'h_prev', next_hidden: 'updated_st8' }, undefined],
    ['gru', { hidden: 'hn' }, { hidden: 'h0', next_hidden: 'hn' }, undefined],
    [
      'lstm-additive',
      { hidden: 'hn', memory: 'cn' },
      { hidden: 'h0', memory: 'c0', next_hidden: 'h_n', next_memory: 'c_n' },
      undefined,
    ],
    ['lstm-additive', { source_states: 'encoder_states' }, { source_states: 'states' }, undefined],
    [
      'lstm-additive',
      { hidden: 'one', memory: 'two' },
      { next_hidden: 'r1', next_memory: 'r2' },
      { hidden: { from: 'one', to: 'r1' }, memory: { from: 'two', to: 'r2' } },
    ],
  ] as const)('%s is wired by names of any kind, encoder %o and step %o', async (name, of, names, inputs) => {
    const expected = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8'))[name];
    const { encoder, step } = await renamed(name, of, names);
    const options = { ...(await optionsOf(name)), encoder };
    const target = join(parent, `wired-${steps++}`);
    if (inputs !== undefined) {
      await expect(importRecurrentSteps(step, target, options)).rejects.toMatchObject({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringContaining('Tell it as inputs: {'),
      });
    }
    await importRecurrentSteps(step, target, { ...options, inputs });
    await using model = await loadModel(target);
    const sources = expected.sources.map((source: number[]) => Int32Array.from(source));
    const request = { sources, maxNewTokens: 8 };
    const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
    expect(results.map(({ best }) => [...best.tokenIds])).toEqual(expected.greedy);
  });

  it('never begins as zeros where the encoder may give what it begins with, unless told', async () => {
    const { encoder, step } = await renamed('lstm-additive', { hidden: 'one', memory: 'two' }, {});
    const options = { ...(await optionsOf('lstm-additive')), encoder };
    const target = join(parent, `zeros-${steps++}`);
    await expect(importRecurrentSteps(step, target, options)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/state "hidden" begins as what the encoder gives as "one" or "two"/),
      details: { field: 'hidden', received: ['one', 'two'] },
    });
    const zeros = { from: null, to: 'next_hidden' };
    const inputs = { hidden: zeros, memory: { from: null, to: 'next_memory' } };
    const manifest = await importRecurrentSteps(step, target, { ...options, inputs, mask: 'source' });
    expect(JSON.stringify(manifest)).not.toContain('"from":"one"');
    for (const [wrong, received] of [
      [{ nothing: {} }, 'nothing'],
      [{ hidden: { to: 'two' } }, 'two'],
      [{ hidden: { from: 'next_hidden' } }, 'next_hidden'],
    ] as const) {
      await expect(
        importRecurrentSteps(step, join(parent, `wrong-${steps++}`), { ...options, inputs: wrong }),
      ).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { option: 'inputs', received },
      });
    }
  });

  it('never keeps a state as it began where the step may give it anew', async () => {
    const { encoder, step } = await renamed('lstm-additive', {}, { next_hidden: 'one', next_memory: 'two' });
    const options = { ...(await optionsOf('lstm-additive')), encoder };
    await expect(importRecurrentSteps(step, join(parent, 'kept'), options)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(
        /whether the input "hidden" comes out again as "one" or "two"\. Tell it as inputs/,
      ),
    });
  });

  it.each(NAMES)('%s says the same with drafts of any kind', async (name) => {
    const expected = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8'))[name];
    const target = join(parent, `${name}-drafted`);
    await importRecurrentSteps(join(parent, name, 'step.onnx'), target, await optionsOf(name));
    await using loaded = await loadModel(target);
    const model = loaded.part('autoregressive');
    const { vocabulary } = model;
    const sources: Int32Array[] = expected.sources.map((source: number[]) => Int32Array.from(source));
    const outputs: number[][] = expected.greedy;
    // What the model itself says next, so that drafts are right where they are meant to be.
    const score = (source: Int32Array, output: readonly number[]) => {
      const row = sources.findIndex((one) => one.join() === source.join());
      return Float64Array.from({ length: vocabulary.size }, (_, id) =>
        id === (outputs[row]?.[output.length] ?? 2) ? 1 : 0,
      );
    };
    let accepted = 0;
    const drafters = DRAFT_KINDS.map((kind) =>
      adversarialDrafter({ kind, score, vocabularySize: vocabulary.size, endTokenId: 2, seed: 3 }),
    );
    for (const drafter of [ngramDrafter({ vocabulary }), ...drafters]) {
      const { results, statistics } = await collect(
        speculative({ drafter }).decode(model, { sources, maxNewTokens: 8 }),
      );
      expect(results.map(({ best }) => [...best.tokenIds])).toEqual(outputs);
      accepted += statistics.speculation?.accepted ?? 0;
    }
    // Where every output ends at once, there is no token to accept.
    expect(accepted > 0).toBe(outputs.some(({ length }) => length > 0));
  });

  it('takes scores from inside a graph that gives them to nobody', async () => {
    const target = join(parent, 'exposed');
    const options = { ...(await optionsOf('gru')), exposeScores: 'logits' };
    await importRecurrentSteps(join(parent, 'gru', 'step.onnx'), target, options);
    await using model = await loadModel(target);
    expect((model.manifest as unknown as { step: { scores: string } }).step.scores).toBe('foretoken_scores');
    const expected = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8')).gru;
    const request = { sources: [Int32Array.from(expected.sources[0])], maxNewTokens: 8 };
    const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
    expect([...results[0].best.tokenIds]).toEqual(expected.greedy[0]);
  });

  it('refuses what does not fit, by code', async () => {
    const step = join(parent, 'gru', 'step.onnx');
    const options = await optionsOf('gru');
    const { symbols } = options;
    const cases: [string, Partial<RecurrentStepOptions>, string][] = [
      ['a symbol too few', { symbols: { ...symbols, target: symbols.target.slice(1) } }, 'UNSUPPORTED_MODEL'],
      [
        'the same, with the output told',
        { symbols: { ...symbols, target: symbols.target.slice(1) }, scores: 'logits' },
        'INVALID_ARGUMENT',
      ],
      ['an output that is not there', { scores: 'nothing' }, 'UNSUPPORTED_MODEL'],
      ['a value that is not inside', { exposeScores: 'nothing' }, 'RUNTIME_FAILURE'],
      ['other scores', { values: 'probabilities' }, 'INVALID_ARGUMENT'],
      ['a start that is no symbol', { startTokenId: 11 }, 'INVALID_ARGUMENT'],
      ['an encoder that is a step', { encoder: step }, 'UNSUPPORTED_MODEL'],
      ['an option that is none', { start: 1 } as never, 'INVALID_ARGUMENT'],
    ];
    for (const [what, more, code] of cases) {
      const target = join(parent, 'never');
      await expect(importRecurrentSteps(step, target, { ...options, ...more }), what).rejects.toMatchObject({ code });
    }
    const encoder = join(parent, 'gru', 'encoder.onnx');
    await expect(importRecurrentSteps(encoder, join(parent, 'never'), options)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
    });
  });

  it('meets damaged graphs with typed errors', async () => {
    const step = await readFile(join(parent, 'gru', 'step.onnx'));
    const options = await optionsOf('gru');
    const damaged = join(parent, 'gru', 'damaged.onnx');
    await fc.assert(
      fc.asyncProperty(fc.nat(step.length - 1), fc.nat(255), fc.boolean(), async (at, value, cut) => {
        const bytes = cut ? step.subarray(0, at) : Uint8Array.from(step);
        if (!cut) bytes[at] = value;
        await writeFile(damaged, bytes);
        try {
          await importRecurrentSteps(damaged, join(parent, 'fuzzed'), { ...options, replace: true });
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
        }
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  it('refuses symbols that are none, by code', async () => {
    const options = await optionsOf('gru');
    const { symbols } = options;
    const cycle: unknown[] = [...symbols.target];
    cycle[1] = cycle;
    const throwing = {
      get target(): string[] {
        throw new Error('not now');
      },
    };
    const wrong: unknown[] = [
      { ...symbols, target: symbols.target.map((_, at) => BigInt(at)) },
      { ...symbols, target: cycle },
      { ...symbols, hidden: [1n] },
      { ...symbols, unknownTokenId: 3n },
      { ...symbols, joiner: Symbol('joiner') },
      { ...symbols, source: new Array(3) },
      { ...symbols, toJSON: () => 1 },
      { source: symbols.target },
      throwing,
      null,
      7,
    ];
    for (const [at, value] of wrong.entries()) {
      const run = importRecurrentSteps(join(parent, 'gru', 'step.onnx'), join(parent, 'never'), {
        ...options,
        symbols: value as never,
      });
      await expect(run, `symbols ${at}`).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it('refuses a step that gives no scores', async () => {
    const symbols = { target: ['a', 'b', 'c'] };
    for (const [values, required] of [
      [[0, 0 / 0, 0], 'class 1 at position 0 is NaN'],
      [[0, 0, 1 / 0], 'class 2 at position 0 is Infinity'],
      [[-1 / 0, -1 / 0, -1 / 0], 'every class at position 0 is -Infinity'],
    ] as const) {
      const step = await stepOf(values);
      const run = importRecurrentSteps(step, join(parent, 'never'), { symbols, startTokenId: 0 });
      await expect(run).rejects.toMatchObject({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringContaining(required),
      });
    }
    const target = join(parent, 'possible');
    await importRecurrentSteps(await stepOf([0, 1, -1 / 0]), target, { symbols, startTokenId: 0 });
    await using model = await loadModel(target);
    const { results } = await collect(
      greedy().decode(model.part('autoregressive'), { sources: [new Int32Array()], maxNewTokens: 3 }),
    );
    expect([...results[0].best.tokenIds]).toEqual([1, 1, 1]);
  });

  it('refuses a step whose scores are fewer than its symbols when it runs', async () => {
    const target = join(parent, 'narrow');
    const options = { symbols: { target: ['a', 'b', 'c', 'd'] }, startTokenId: 0, scores: 'scores' };
    await expect(importRecurrentSteps(await stepOf([0, 1, 2], null), target, options)).rejects.toMatchObject({
      code: 'RUNTIME_FAILURE',
      message: expect.stringContaining('scores of 4 symbols'),
    });
  });
});

/** A step that gives these scores after every token. */
async function stepOf(scores: readonly number[], declared: number | null = scores.length): Promise<string> {
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  const token = graph.input('token', 'int64', ['batch']);
  const hidden = graph.input('hidden', 'float32', ['batch', 1]);
  const read = graph.op('Unsqueeze', [
    graph.op('Cast', [token], { to: ELEMENT_TYPE.float32 }),
    graph.constant('int64', [1], [1]),
  ]);
  graph.op('Add', [hidden, read], {}, { name: 'hidden_out' });
  graph.output('hidden_out', 'float32', ['batch', 1]);
  // Constants are finite; quotients need not be.
  const above = scores.map((score) => (Number.isNaN(score) ? 0 : Number.isFinite(score) ? score : Math.sign(score)));
  const below = scores.map((score) => (Number.isFinite(score) ? 1 : 0));
  const parts = [above, below].map((values) => graph.constant('float32', [1, scores.length], values));
  const none = graph.op('Mul', [read, graph.constant('float32', [], [0])]);
  graph.op('Add', [graph.op('Div', parts), none], {}, { name: 'scores' });
  graph.output('scores', 'float32', ['batch', declared ?? 'symbols']);
  const file = join(parent, `step-${steps++}.onnx`);
  await writeFile(file, graph.build('step'));
  return file;
}
