import { collect, type EditModel, type TokenSource } from '@foretoken/core';
import { type LevenshteinOptions, levenshtein } from '@foretoken/refine';
import type { ScriptedEditOptions } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { LETTERS, run, SOURCES, TRACE, tableModel, toTokens } from './edit-tables.js';

describe('levenshtein, where it cannot go on', () => {
  it('refuses options, texts and models that do not fit before any compute', async () => {
    const bad: readonly LevenshteinOptions[] = [
      { iterations: 0 },
      { perGap: 0 },
      { deletionThreshold: -0.1 },
      { deletionThreshold: 1.1 },
      { deletionThreshold: Number.NaN },
      { initial: [toTokens('a')] as never },
    ];
    for (const options of bad) {
      expect(() => levenshtein(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    const model = tableModel({}, { maxLength: 5 });
    const refused = async (request: object, code: string) =>
      expect(run(model, levenshtein(), request)).rejects.toMatchObject({ code });
    await refused({ initialOutputs: 'abc' }, 'INVALID_ARGUMENT');
    await refused({ initialOutputs: [] }, 'INVALID_ARGUMENT');
    await refused({ initialOutputs: [toTokens('abcd')] }, 'LENGTH_LIMIT');
    await refused({ initialOutputs: [toTokens('a?')] }, 'INVALID_ARGUMENT');
    await refused({ initialOutputs: [toTokens('a]')] }, 'INVALID_ARGUMENT');
    await refused({ outputPrefixes: [toTokens('abcd')] }, 'LENGTH_LIMIT');
    await refused({ initialOutputs: [toTokens('a')], outputPrefixes: [toTokens('a')] }, 'INVALID_ARGUMENT');
    await refused({ sources: [] }, 'EMPTY_SOURCE');
    expect(model.calls).toEqual([]);
    const other = { vocabulary: model.vocabulary } as EditModel<TokenSource>;
    await expect(collect(levenshtein().decode(other, { sources: SOURCES }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
    });
  });

  it('refuses answers that are not numbers or do not fit, and releases everything', async () => {
    const nowhere = (letter: string) => () =>
      Float32Array.from(LETTERS, (other) => (other === letter ? 0 : Number.NEGATIVE_INFINITY));
    const broken: readonly (readonly [Partial<ScriptedEditOptions>, string, object?])[] = [
      [{ deletions: () => [0] }, 'RUNTIME_FAILURE'],
      [{ placeholders: () => [] }, 'RUNTIME_FAILURE'],
      [{ placeholders: (_, canvas) => new Float32Array(canvas.length - 1).fill(-1) }, 'RUNTIME_FAILURE'],
      ...[Number.NaN, Number.POSITIVE_INFINITY].flatMap((bad) => [
        [
          {
            deletions: (_: unknown, canvas: Int32Array) =>
              Float32Array.from(canvas, (_id, at) => (at === 2 ? bad : 0.1)),
          },
          'INVALID_SCORES',
          { row: 0, position: 2 },
        ] as const,
        [
          {
            score: (_: unknown, _canvas: unknown, at: number) =>
              new Float32Array(LETTERS.length).fill(at === 1 ? bad : 0),
          },
          'INVALID_SCORES',
          { row: 0, position: 1 },
        ] as const,
      ]),
      [{ score: nowhere('?') }, 'UNSATISFIABLE_CONSTRAINT', { row: 0, position: 1 }],
    ];
    for (const [more, code, details = {}] of broken) {
      const model = tableModel(TRACE, more);
      await expect(run(model, levenshtein())).rejects.toMatchObject({ code, details });
      expect(model.stillOpen).toBe(0);
    }
  });

  it('stops at an abort, a failure and a break, and releases everything', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborting = tableModel(TRACE, {
      placeholders: () => {
        controller.abort(reason);
        return [3];
      },
    });
    await expect(run(aborting, levenshtein(), { signal: controller.signal })).rejects.toBe(reason);
    expect(aborting.forwards).toBe(1);
    for (const failAt of [1, 2, 3, 4]) {
      const failing = tableModel(TRACE, { failAt, error: reason });
      await expect(run(failing, levenshtein())).rejects.toBe(reason);
      expect([failing.forwards, failing.stillOpen]).toEqual([failAt, 0]);
    }
    const model = tableModel(TRACE);
    for await (const event of levenshtein().decode(model, { sources: SOURCES })) if (event) break;
    expect([aborting.stillOpen, model.stillOpen]).toEqual([0, 0]);
  });
});
