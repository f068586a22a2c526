import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { BackoffModel, tokenLanguageModel } from '@foretoken/language-models';
import type { FloatSource } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { latticeModelConformance } from '@foretoken/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fitLabels } from '../src/adapters/ctc/fit-labels.js';
import { bestClasses } from '../src/adapters/score-values.js';
import { importCtcModel } from '../src/index.js';
import { type CtcFixture, saying, writeCtcGraph } from './ctc-fixture.js';
import { type CtcModel, fileOf, folder, imported, LABELS, load, refusal } from './ctc-folders.js';
import { turnsOf } from './turns.js';

describe('a CTC graph of others', () => {
  for (const layout of ['batch-time', 'time-batch'] as const) {
    for (const values of ['logits', 'logProbs', 'probabilities'] as const) {
      for (const blankId of [0, 5]) {
        it(`is understood: ${layout}, ${values}, blank ${blankId}`, async () => {
          const { target, manifest } = await imported({ classes: 6, blankId, layout, values });
          expect(manifest.frames).toMatchObject({ layout, values, batches: 'equal-lengths', stride: 1 });
          expect(manifest.ctc).toMatchObject({ blankId });
          await using model = await load(target);
          const shift = blankId === 0 ? 1 : 0;
          const said = [[0, 0, -1, 0, 4, 4], [-1, 3, -1, -1], [2]].map((ids) =>
            saying(ids.map((id) => (id < 0 ? id : id + shift))),
          );
          const results = await model.decode(said, ctcGreedy<FloatSource>({ alignments: true }));
          expect(results.map(({ text }) => text)).toEqual(['aae', 'd', 'c']);
          for (const confidence of results[0].confidences ?? []) expect(confidence).toBeGreaterThan(0.99);
          const [beam] = await model.decode([said[0]], ctcPrefixBeam<FloatSource>());
          expect(beam.text).toBe('aae');
        });
      }
    }
  }

  it('is read in batches of padded sources only where padding changes nothing', async () => {
    const batches = async (fixture: Partial<CtcFixture>) =>
      (await imported({ classes: 6, blankId: 0, ...fixture })).manifest.frames as { batches: string };
    expect((await batches({ lengths: true })).batches).toBe('padded');
    expect((await batches({ lengths: true, global: true })).batches).toBe('equal-lengths');
    expect((await batches({})).batches).toBe('equal-lengths');
    const told = await refusal({ classes: 6, blankId: 0, lengths: true, global: true }, { batches: 'padded' });
    expect(told).toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: 'equal-lengths' } });
  });

  it('takes dictionaries as they come', async () => {
    const vocabulary = { '<pad>': 0, '|': 1, a: 2, b: 3, '<unk>': 4, c: 5 };
    const json = await fileOf('vocab.json', JSON.stringify(vocabulary));
    const speech = await imported({ classes: 6, blankId: 0 }, { dictionary: json, space: undefined });
    await using model = await load(speech.target);
    const { text } = await model.decode(saying([1, 2, 3, 1, 4, 5, 1]), ctcGreedy<FloatSource>());
    expect(text).toBe('ab c');
    const numbered = await fileOf('vocab.txt', ['▁a 0', 'b 1', '▁c 2', '<blk> 3', ''].join('\n'));
    const pieces = await imported({ classes: 4, blankId: 3 }, { dictionary: numbered, space: undefined });
    await using other = await load(pieces.target);
    expect((await other.decode(saying([0, 1, 2]), ctcGreedy<FloatSource>())).text).toBe('ab c');
    const lines = await fileOf('keys.txt', 'a\r\nb\r\n');
    const paddle = await imported({ classes: 4, blankId: 0 }, { dictionary: lines, space: 'last' });
    await using ocr = await load(paddle.target);
    expect((await ocr.decode(saying([1, 3, 2]), ctcGreedy<FloatSource>())).text).toBe('a b');
  });

  it('reads a dictionary that lists a space beside the one that is the last class, as English ones of PaddleOCR', async () => {
    const lines = await fileOf('en_dict.txt', 'a\nb\n \n');
    const told = { dictionary: lines, space: 'last' } as const;
    const list = { dictionary: ['a', 'b', ' ', ' '], space: undefined };
    for (const options of [told, list]) {
      const { target } = await imported({ classes: 5, blankId: 0 }, options);
      await using model = await load(target);
      const { text } = await model.decode(saying([1, 4, 2, 3, 1]), ctcGreedy<FloatSource>());
      expect(text).toBe('a b a');
    }
  });

  it('is searched as it is where it has fewer labels than a search looks at', async () => {
    const { target } = await imported({ classes: 3, blankId: 0 }, { dictionary: ['a', 'b'] });
    await using model = await load(target);
    const { text, hypotheses } = await model.decode(
      saying([1, 2, -1, 2]),
      ctcPrefixBeam<FloatSource>({ hypotheses: 2 }),
    );
    expect([text, hypotheses.length]).toEqual(['abb', 2]);
  });

  it('reads labels that hold what other programs take for the end of a line', async () => {
    const labels = ['a', 'b\u2028', '\u2029c', 'd\u0085e', 'f\u000b\u000c', '\u00a0'];
    const classes = labels.length + 1;
    const shown = async (name: string, content: string) => {
      const { target } = await imported({ classes, blankId: 0 }, { dictionary: await fileOf(name, content) });
      await using model = await load(target);
      const { text } = await model.decode(saying(labels.map((_, id) => id + 1)), ctcGreedy<FloatSource>());
      return text;
    };
    for (const end of ['\n', '\r\n']) {
      expect(await shown('lines.txt', labels.join(end))).toBe(labels.join(''));
      const numbered = ['<blank>', ...labels].map((label, id) => `${label} ${id}`);
      expect(await shown('vocab.txt', `\ufeff${numbered.join(end)}${end}`)).toBe(labels.join(''));
    }
  });

  it('shows only spaces as cut off around a text', async () => {
    const dictionary = await fileOf('edges.txt', ['\u00a0', 'b', ' '].join('\n'));
    const { target } = await imported({ classes: 4, blankId: 0 }, { dictionary, wordBoundary: ' ', space: undefined });
    await using model = await load(target);
    const { text } = await model.decode(saying([3, 1, 2, 1, 3]), ctcGreedy<FloatSource>());
    expect(text).toBe('\u00a0b\u00a0');
  });

  it('looks every label up once, however many there are', () => {
    const labels = Array.from({ length: 5000 }, (_, at) => `label ${at}`);
    const evidence = { classes: 5001, commonest: 0, share: 1 };
    const searched = [vi.spyOn(Array.prototype, 'indexOf'), vi.spyOn(Array.prototype, 'includes')];
    try {
      const fitted = fitLabels({ labels, from: 'a list', numbered: false }, evidence, { space: 'none' });
      expect(fitted.symbols.target.length).toBe(5001);
      for (const calls of searched) expect(calls.mock.calls.length).toBeLessThan(100);
    } finally {
      vi.restoreAllMocks();
    }
    const twice = { labels: ['', 'x', '', ...labels, 'x'], from: 'a list', numbered: false };
    expect(() => fitLabels(twice, evidence, {})).toThrow(/"x" is listed twice/);
  });

  it('ends with the reason of an abort, also where that looks like a fault of the graph', async () => {
    const graph = await writeCtcGraph(folder, { classes: 6, blankId: 0, lengths: true });
    const target = join(folder, 'aborted');
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (clock += 50));
    try {
      let stopped = 0;
      for (let at = 0; ; at = Math.ceil(1.4 * at + 1)) {
        const stop = new AbortController();
        const reason = new ForetokenError('RUNTIME_FAILURE', 'enough', {});
        const { signal } = stop;
        let looks = 0;
        const { throwIfAborted } = signal;
        vi.spyOn(signal, 'throwIfAborted').mockImplementation(() => {
          if (looks++ === at) stop.abort(reason);
          throwIfAborted.call(signal);
        });
        const options = { dictionary: LABELS, space: 'none', signal, replace: true } as const;
        const error = await importCtcModel(graph, target, options).then(
          () => undefined,
          (failure: unknown) => failure,
        );
        if (error === undefined) break;
        expect(error, `look ${at}`).toBe(reason);
        stopped++;
      }
      expect(stopped).toBeGreaterThan(8);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('lets others have their turn between frames, when it is imported and when it is used', async () => {
    const graph = await writeCtcGraph(folder, { classes: 6, blankId: 0 });
    const target = join(folder, 'turns');
    const imports = await turnsOf(
      async () => void (await importCtcModel(graph, target, { dictionary: LABELS, space: 'none' })),
    );
    // Best classes, and what the scores are, of 320 frames of noise and as many of silence.
    expect(imports).toBeGreaterThan(1280);
    await using model = await load(target);
    const lattices = model.part('lattice');
    const frames = 500;
    const source = { values: new Float32Array(3 * frames), dims: [frames, 3] };
    const turns = await turnsOf(async () => void (await lattices.emit([source], { k: 2 })));
    expect(turns).toBeGreaterThan(frames);
  });

  it('takes classes beyond what fits as arguments of a call', () => {
    const size = 300_000;
    const data = new Float32Array(2 * size);
    data[size - 1] = data[size + 7] = 1;
    const steps = bestClasses({ data, size, of: 'noise' }, { folder: '.', file: 'wide.onnx' });
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    expect([...step.value]).toEqual([size - 1, 7]);
  });

  it('is searched with a language model of its labels', async () => {
    const { target } = await imported({ classes: 6, blankId: 0 });
    await using model = await load(target);
    // Halfway between two labels.
    const [one, other] = [saying([1, -1, 2]), saying([1, -1, 3])];
    const unsure = { dims: one.dims, values: one.values.map((value, at) => (value + 0.98 * other.values[at]) / 2) };
    const words = ['<blank>', ...LABELS];
    const bigram = (text: string, logProb: number) => ({
      words: [...text].map((label) => words.indexOf(label)),
      logProb,
    });
    const grams = [
      ...words.map((_, id) => ({ words: [id], logProb: -5, backoff: 0 })),
      bigram('ac', -0.1),
      bigram('ab', -9),
    ];
    const labels = new BackoffModel(words, grams);
    const languageModel = { model: tokenLanguageModel(labels, (tokenId) => words[tokenId]), weight: 1 };
    const plain = await model.decode(unsure, ctcPrefixBeam<FloatSource>());
    const led = await model.decode(unsure, ctcPrefixBeam<FloatSource>({ languageModel }));
    expect([plain.text, led.text]).toEqual(['ab', 'ac']);
  });
});

describe('the folder of such a graph', () => {
  const model = { current: undefined as CtcModel | undefined };
  beforeAll(async () => {
    model.current = await load((await imported({ classes: 6, blankId: 0, lengths: true })).target);
  });
  afterAll(() => model.current?.dispose());

  latticeModelConformance({
    runner: { describe, it },
    name: 'a CTC graph of others',
    createModel: () => (model.current as CtcModel).part('lattice') as never,
    sources: [saying([1, -1, 2, 2]), saying([4]), saying([0, 3, -1, 5, 2, 1, 1])] as never,
    tolerance: 1e-5,
    emptySource: saying([]),
  });
});
