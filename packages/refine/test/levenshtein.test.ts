import type { DecodeEndEvent, TokenSource } from '@foretoken/core';
import { insertion, levenshtein } from '@foretoken/refine';
import {
  assertStream,
  eventsOf,
  outputsOf,
  randomCanvasScore,
  randomLogits,
  type ScriptedEditModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EditTable, LETTERS, run, SOURCES, START, TRACE, tableModel, toText, toTokens } from './edit-tables.js';

describe('levenshtein', () => {
  it('says where each position stood before, so that edits can be drawn', async () => {
    const events = await eventsOf(levenshtein().decode(tableModel(TRACE), { sources: SOURCES }));
    const moves = events.flatMap((event) =>
      event.type === 'canvas-revise' ? [`${toText(event.tokenIds)} ${event.origins?.join()}`] : [],
    );
    expect(moves).toEqual([
      '??? -1,-1,-1',
      'abc 0,1,2',
      'ac 0,2', // b was deleted
      'a?c 0,-1,1',
      'adc 0,1,2',
      'adc 0,1,2',
      'adc 0,1,2',
    ]);
  });

  it('inserts, fills, deletes and ends when a round changes nothing', async () => {
    const { output, best, asked, shown } = await run(tableModel(TRACE), levenshtein());
    expect(asked).toEqual([
      'placeholders []', // there is nothing to delete yet
      'fill [???]',
      'deletions [abc]',
      'placeholders [ac]',
      'fill [a?c]',
      'deletions [adc]', // boundaries stay, whatever the model says of them
      'placeholders [adc]',
    ]);
    expect(shown).toEqual(['???', 'abc', 'ac', 'a?c', 'adc', 'adc', 'adc']);
    expect(output).toBe('adc');
    expect(best.finishReason).toBe('complete');
    expect(best.logProb).toBeCloseTo(3 * Math.log(0.9), 5);
  });

  it('ends after the iterations it may take', async () => {
    expect((await run(tableModel(TRACE), levenshtein({ iterations: 1 }))).output).toBe('abc');
    expect((await run(tableModel(TRACE), levenshtein({ iterations: 2 }))).asked).toHaveLength(5);
  });

  it('edits a given text', async () => {
    const table: EditTable = {
      deletions: { '[fab]': 'f', '[abc]': '' },
      placeholders: { '[ab]': '001', '[abc]': '0000' },
      fill: { '[ab?]': '[abc]' },
    };
    const { output, asked, best } = await run(tableModel(table), levenshtein(), { initialOutputs: [toTokens('fab')] });
    expect(output).toBe('abc');
    expect(asked[0]).toBe('deletions [fab]');
    expect(best.logProb).toBeUndefined(); // a and b were given, and nobody knows how probable they are
  });

  it('waits with rows that are ahead, so that rows go through the phases together', async () => {
    const table: EditTable = {
      deletions: { '[fa]': 'f', '[a]': '' },
      placeholders: { '[]': '1', '[a]': '00' },
      fill: { '[?]': '[a]' },
    };
    const model = tableModel(table);
    const { output } = await run(model, levenshtein(), {
      sources: [Int32Array.of(1), Int32Array.of(2)],
      initialOutputs: [toTokens(''), toTokens('fa')],
    });
    expect(output).toBe('a');
    const rows = model.calls.map(({ call, canvases }) => `${call} ${canvases.map(({ row }) => row).join(' ')}`);
    expect(rows.slice(1, -1)).toEqual([
      'deletions 1',
      'placeholders 0 1', // row 0 has nothing to delete and has waited
      'fill 0', // row 1 took no placeholders and waits in turn
      'deletions 0 1',
      'placeholders 0 1',
    ]);
  });

  it('leaves given prefixes alone', async () => {
    const table: EditTable = {
      deletions: { '[abcd]': 'abc', '[abed]': '' },
      placeholders: { '[ab]': '992', '[abd]': '9910', '[abed]': '99000' },
      fill: { '[ab??]': '[efcd]', '[ab?d]': '[fced]' },
    };
    const request = { outputPrefixes: [toTokens('ab')] };
    const { output, asked } = await run(tableModel(table), levenshtein(), request);
    expect(asked.slice(0, 5)).toEqual([
      'placeholders [ab]',
      'fill [ab??]',
      'deletions [abcd]',
      'placeholders [abd]',
      'fill [ab?d]',
    ]);
    expect(output).toBe('abed');
  });

  it('inserts no more than the model has positions for, nor than a gap may take', async () => {
    const table: EditTable = {
      placeholders: { '[]': '9', '[aaa]': '0000', '[aa]': '000' },
      deletions: { '[aaa]': '', '[aa]': '' },
      fill: { '[???]': '[aaa]', '[??]': '[aa]' },
    };
    expect((await run(tableModel(table, { maxLength: 5 }), levenshtein())).output).toBe('aaa');
    expect((await run(tableModel(table), levenshtein({ perGap: 2 }))).output).toBe('aa');
  });

  it.each([
    [0.45, ''],
    [0.5, 'a'],
    [0.59, 'a'],
    [0.61, 'ab'],
    [1, 'ab'],
  ])('with a threshold of %s deletes what is more probably deleted than that', async (deletionThreshold, output) => {
    const table: EditTable = {
      // b goes with a probability of 0.6, a with one of 0.5.
      deletions: { '[ab]': 'b', '[a]': '' },
      placeholders: { '[ab]': '000', '[a]': '00', '[]': '0' },
    };
    const request = { initialOutputs: [toTokens('ab')] };
    expect((await run(tableModel(table), levenshtein({ deletionThreshold }), request)).output).toBe(output);
  });

  it('cuts at an end token, at the limit and after a stop sequence', async () => {
    expect((await run(tableModel(TRACE), levenshtein(), { maxNewTokens: 2 })).best).toMatchObject({
      tokenIds: toTokens('ad'),
      finishReason: 'length',
    });
    const stopSequences = [toTokens('d')];
    expect((await run(tableModel(TRACE), levenshtein(), { stopSequences })).output).toBe('ad');
    const table: EditTable = {
      placeholders: { '[]': '2', '[a]]': '000' },
      deletions: { '[a]]': '' },
      fill: { '[??]': '[a]]' },
    };
    expect((await run(tableModel(table), levenshtein())).best).toMatchObject({
      tokenIds: toTokens('a'),
      finishReason: 'end-token',
    });
  });
});

describe('insertion', () => {
  it('inserts one token a gap and never deletes', async () => {
    const table: EditTable = {
      placeholders: { '[]': '4', '[b]': '22', '[abc]': '0000' },
      fill: { '[?]': '[b]', '[?b?]': '[abc]' },
    };
    const { output, asked } = await run(tableModel(table), insertion());
    expect(asked).toEqual(['placeholders []', 'fill [?]', 'placeholders [b]', 'fill [?b?]', 'placeholders [abc]']);
    expect(output).toBe('abc');
  });
});

describe('both', () => {
  const sources = [Int32Array.of(5, 2), Int32Array.of(3), Int32Array.of(6, 6, 1), Int32Array.of(4)];
  const randomModel = (seed: number): ScriptedEditModel => {
    const random = randomLogits({ seed, vocabularySize: LETTERS.length, endTokenId: -1, sharpness: 1 });
    const score = randomCanvasScore({ seed, vocabularySize: LETTERS.length, never: [START] });
    return tableModel(
      {},
      {
        maxLength: 12,
        deletions: (source, canvas) => Float32Array.from(canvas, (_, at) => random(source, [...canvas, at])[0] * 0.8),
        placeholders: (source, canvas) =>
          Int32Array.from({ length: canvas.length - 1 }, (_, at) => random(source, [...canvas, at])[1] * 3 - 1),
        score,
      },
    );
  };

  it('give a row of a batch what they give it alone, and ask nothing more of finished rows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.boolean(), async (seed, deletes) => {
        const decoder = deletes ? levenshtein() : insertion();
        const decode = async (model: ScriptedEditModel, rows: readonly TokenSource[]): Promise<DecodeEndEvent> =>
          assertStream(await eventsOf(decoder.decode(model, { sources: rows })), rows.length, 0);
        const together = randomModel(seed);
        const finished = new Set<number>();
        let seen = 0;
        for await (const event of decoder.decode(together, { sources })) {
          const canvases = together.calls.slice(seen).flatMap((call) => call.canvases);
          expect(canvases.some(({ row }) => finished.has(row))).toBe(false);
          seen = together.calls.length;
          if (event.type === 'token-commit') finished.add(event.row);
        }
        const outputs = outputsOf(await decode(randomModel(seed), sources));
        let forwards = 0;
        for (const [row, source] of sources.entries()) {
          const alone = randomModel(seed);
          expect(outputsOf(await decode(alone, [source]))).toEqual([outputs[row]]);
          forwards += alone.forwards;
        }
        // Rows of a batch go through the phases together.
        expect(together.forwards).toBeLessThan(forwards);
      }),
      { numRuns: 60 },
    );
  });
});
