import {
  collect,
  type DecodeEndEvent,
  type DecodeRequest,
  type Decoder,
  type EditModel,
  type TokenSource,
} from '@foretoken/core';
import { insertion, type LevenshteinOptions, levenshtein } from '@foretoken/refine';
import {
  assertStream,
  eventsOf,
  outputsOf,
  randomCanvasScore,
  randomLogits,
  type ScriptedEditModel,
  type ScriptedEditOptions,
  scriptedEditModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peaked } from './table-model.js';

/** `]` is the end token 0, `[` the start token, `?` the placeholder. */
const LETTERS = ']abcdef[?';
const START = LETTERS.indexOf('[');
const PLACEHOLDER = LETTERS.indexOf('?');
const SOURCES: readonly TokenSource[] = [Int32Array.of(1)];

const toText = (tokenIds: Iterable<number>): string => [...tokenIds].map((tokenId) => LETTERS[tokenId]).join('');
const toTokens = (text: string): Int32Array => Int32Array.from(text, (letter) => LETTERS.indexOf(letter));

/** For each canvas: letters that are deleted, placeholders a gap, or letters filled in at 90 percent. */
interface EditTable {
  readonly deletions?: Readonly<Record<string, string>>;
  readonly placeholders?: Readonly<Record<string, string>>;
  readonly fill?: Readonly<Record<string, string>>;
}

function tableModel(table: EditTable, more: Partial<ScriptedEditOptions> = {}): ScriptedEditModel {
  const entry = (of: Readonly<Record<string, string>> | undefined, canvas: Int32Array): string => {
    const found = of?.[toText(canvas)];
    if (found === undefined) throw new Error(`the canvas ${toText(canvas)} is not in the table`);
    return found;
  };
  return scriptedEditModel({
    vocabularySize: LETTERS.length,
    startTokenId: START,
    endTokenId: 0,
    placeholderTokenId: PLACEHOLDER,
    deletions: (_, canvas) => {
      const letters = entry(table.deletions, canvas);
      return Float32Array.from(canvas, (tokenId) => (letters.includes(LETTERS[tokenId]) ? 0.6 : 0.5));
    },
    placeholders: (_, canvas) => [...entry(table.placeholders, canvas)].map(Number),
    score: (_, canvas, position) => peaked('.abcdefg_'[LETTERS.indexOf(entry(table.fill, canvas)[position])], 0.9),
    ...more,
  });
}

async function run(
  model: ScriptedEditModel,
  decoder: Decoder<EditModel<TokenSource>>,
  request: Partial<DecodeRequest<TokenSource>> = {},
) {
  const events = await eventsOf(decoder.decode(model, { sources: SOURCES, ...request }));
  const end = assertStream(events, (request.sources ?? SOURCES).length, 0);
  expect(end.statistics.forwards).toBe(model.forwards);
  expect(model.stillOpen).toBe(0);
  return {
    output: toText(end.results[0].hypotheses[0].tokenIds),
    best: end.results[0].hypotheses[0],
    asked: model.calls.flatMap(({ call, canvases }) => canvases.map(({ tokenIds }) => `${call} ${toText(tokenIds)}`)),
    shown: events.flatMap((event) => (event.type === 'canvas-revise' ? [toText(event.tokenIds)] : [])),
  };
}

const TRACE: EditTable = {
  deletions: { '[abc]': 'b', '[adc]': '[]' },
  placeholders: { '[]': '3', '[ac]': '010', '[adc]': '0000' },
  fill: { '[???]': '[abc]', '[a?c]': '[adc]' },
};

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
