import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect, ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecurrentStepOptions } from '../src/adapters/recurrent/step-options.js';
import { GraphBuilder } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';
import { importRecurrentSteps } from '../src/index.js';
import { optionsOf, parent } from './recurrent-fixtures.js';

let steps = 0;

describe('recurrent steps that are not what they should be', () => {
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

  it('refuses a state of which it cannot be known how many numbers it has, before it runs', async () => {
    const step = await stepOf([0 / 0, 0], 2, 'width');
    const options = { symbols: { target: ['a', 'b'] }, startTokenId: 0 };
    await expect(importRecurrentSteps(step, join(parent, 'never'), options)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/state "hidden" is float32 \[any, any\]\. Only the batch may be open/),
      details: { field: 'hidden' },
    });
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
async function stepOf(
  scores: readonly number[],
  declared: number | null = scores.length,
  width: number | string = 1,
): Promise<string> {
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  const token = graph.input('token', 'int64', ['batch']);
  const hidden = graph.input('hidden', 'float32', ['batch', width]);
  const read = graph.op('Unsqueeze', [
    graph.op('Cast', [token], { to: ELEMENT_TYPE.float32 }),
    graph.constant('int64', [1], [1]),
  ]);
  graph.op('Add', [hidden, read], {}, { name: 'hidden_out' });
  graph.output('hidden_out', 'float32', ['batch', width]);
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
