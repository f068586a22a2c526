import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { adversarialDrafter, DRAFT_KINDS } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { ModelProto } from '../src/graphs/proto.js';
import { importRecurrentSteps } from '../src/index.js';
import { GOLDENS, NAMES, optionsOf, parent } from './recurrent-fixtures.js';

let steps = 0;

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
});
