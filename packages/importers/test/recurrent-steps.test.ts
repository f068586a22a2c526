import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { adversarialDrafter, DRAFT_KINDS } from '@foretoken/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecurrentStepOptions } from '../src/adapters/recurrent/step-options.js';
import { importModel, importRecurrentSteps } from '../src/index.js';

const GOLDENS = fileURLToPath(new URL('./goldens/recurrent', import.meta.url));
const NAMES = ['gru', 'lstm-additive', 'rnn-relu-before', 'gru-language'];
const before = openSessions();
let parent: string;

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
});
