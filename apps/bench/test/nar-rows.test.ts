import { ForetokenError } from '@foretoken/core';
import type { TextTokenizer } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { distillationOf, remediesOf, rowsByName, targetsOf } from '../src/nar-groups.js';
import type { Decoded } from '../src/nar-measure.js';
import { lengthErrorOf, type NarRow, type Raced, referenceTokens, rowOf, timesOf } from '../src/nar-rows.js';
import { NAR_STRATEGIES, type NarStrategy } from '../src/nar-strategies.js';

const WORDS = ['</s>', 'ein', 'Hund', 'läuft', 'auf', 'Gras'];

const tokenizer: TextTokenizer = {
  encode: (text) => {
    if (text === '') throw new ForetokenError('EMPTY_SOURCE', 'empty');
    return Int32Array.from([...text.split(' ').map((word) => WORDS.indexOf(word)), 0]);
  },
  decode: (tokenIds) => Array.from(tokenIds, (id) => WORDS[id]).join(' '),
  tokenText: (id) => WORDS[id],
  countUnknown: () => 0,
};

const decoded = (milliseconds: number, ...outputs: number[][]): Decoded => ({
  milliseconds,
  outputs: outputs.map((ids) => Int32Array.from(ids)),
  forwards: 3,
  otherForwards: 1,
});

const strategy = (name: string): NarStrategy => NAR_STRATEGIES.find((row) => row.name === name)!;

describe('rowOf', () => {
  const raced: Raced = {
    alone: [decoded(2, [1, 2, 3, 4, 5]), decoded(4, [1, 1, 2])],
    batched: [decoded(3, [1, 2, 3, 4, 5], [1, 2, 2])],
  };
  const greedy: Raced = {
    alone: [decoded(6, [1]), decoded(8, [1])],
    batched: [decoded(12, [1], [1])],
  };
  const row = rowOf(strategy('nat'), raced, { greedy }, tokenizer, ['ein Hund läuft auf Gras', 'ein Hund läuft auf']);

  it('measures what the outputs are', () => {
    expect(row).toMatchObject({ strategy: 'nat', kind: 'one-shot', model: 'shipped', tokensPerSentence: 4 });
    // One of eight tokens equals the one before it; no bigram comes twice.
    expect(row.repetition).toEqual({ tokens: 0.125, bigrams: 0 });
    expect(row.lengthError).toEqual({ mean: -0.5, absolute: 0.5, ratio: 0.8889 });
    expect(row.bleu).toBeGreaterThan(0);
    expect(row.bleu).toBeLessThan(100);
  });

  it('counts time and forwards a sentence, and outputs that a batch changed', () => {
    expect(row).toMatchObject({
      forwardsPerSentence: 3,
      otherForwardsPerSentence: 1,
      millisecondsPerSentence: 3,
      millisecondsPerSentenceBatched: 1.5,
      identicalBatched: 0.5,
    });
  });

  it('is faster than the baseline where its ratio is above one', () => {
    expect(row.timesGreedy?.batched).toEqual({ median: 4, p10: 4, p90: 4 });
    expect(row.timesGreedy?.alone).toMatchObject({ p10: 2, p90: 3 });
    expect(row.timesBeam4).toBeUndefined();
    expect(timesOf(greedy, raced).batched.median).toBe(0.25);
  });

  it('scores 100 for the references themselves', () => {
    const perfect = { alone: [decoded(1, [1, 2, 3, 4, 5])], batched: [decoded(1, [1, 2, 3, 4, 5])] };
    const own = rowOf(strategy('greedy'), perfect, {}, tokenizer, ['ein Hund läuft auf Gras']);
    expect([own.bleu, own.chrf, own.identicalBatched]).toEqual([100, 100, 1]);
  });
});

describe('length error', () => {
  it('leaves out pairs whose reference cannot be read', () => {
    const references = referenceTokens(tokenizer, ['ein Hund', '']);
    expect(references).toEqual([Int32Array.of(1, 2), undefined]);
    const outputs = [Int32Array.of(1, 2, 3), Int32Array.of(1)];
    expect(lengthErrorOf(outputs, references)).toEqual({ mean: 1, absolute: 1, ratio: 1.5 });
    expect(lengthErrorOf(outputs, [undefined, undefined])).toBeUndefined();
  });

  it('passes on what is no fault of the text', () => {
    const throwing = {
      encode: (): never => {
        throw new TypeError('oops');
      },
    };
    expect(() => referenceTokens(throwing, ['a'])).toThrow('oops');
  });
});

/** A row of which only some figures matter. */
function figures(name: string, bleu: number, repeated = 0, timesBeam4 = 1): NarRow {
  const { kind, model } = strategy(name);
  const at = (median: number) => ({ median, p10: median, p90: median });
  return {
    strategy: name,
    kind,
    model,
    bleu,
    chrf: 0,
    repetition: { tokens: repeated, bigrams: 0 },
    tokensPerSentence: 0,
    forwardsPerSentence: 1,
    otherForwardsPerSentence: 0,
    millisecondsPerSentence: 1,
    millisecondsPerSentenceBatched: 1,
    identicalBatched: 1,
    timesBeam4: { alone: at(timesBeam4), batched: at(timesBeam4 / 2) },
  };
}

describe('groups', () => {
  it('compares each remedy with its own baseline, and states the difference', () => {
    const rows = rowsByName([figures('nat', 20, 0.05), figures('nat-deduplicate', 21.5, 0), figures('dag-beam', 30)]);
    expect(remediesOf(rows)).toEqual([
      {
        remedy: 'collapse runs of equal tokens',
        strategy: 'nat-deduplicate',
        baseline: 'nat',
        bleu: { without: 20, with: 21.5, difference: 1.5 },
        repetition: { without: 0.05, with: 0, difference: -0.05 },
      },
    ]);
  });

  it('states what distillation buys, where both controls are there', () => {
    const rows = rowsByName([figures('ctc-raw', 30.1), figures('ctc-distilled', 34.2), figures('nat-raw', 20)]);
    expect(distillationOf(rows)).toEqual({ ctc: { raw: 30.1, distilled: 34.2, margin: 4.1 } });
  });

  it('says whether the one-shot strategies chosen on validation data are good and fast enough, whatever the test set prefers', () => {
    const rows = [
      figures('beam4', 38),
      figures('ctc-greedy', 36, 0, 12),
      figures('dag-beam', 37.5, 0, 9),
      figures('ctc-prefix-beam-ngrams', 37.2, 0, 9),
      figures('ctc-prefix-beam-ngrams-rescored', 37.9, 0, 6),
      figures('mask-predict-10', 37.95),
    ];
    const { bestOneShot, bestRescored } = targetsOf(rowsByName(rows));
    expect(bestOneShot).toEqual({
      strategy: 'ctc-prefix-beam-ngrams',
      baseline: 'beam4',
      bleu: 37.2,
      baselineBleu: 38,
      difference: -0.8,
      aim: -1,
      timesBaseline: 9,
      timesBaselineBatched: 4.5,
      timesAim: 8,
      met: true,
    });
    expect(bestRescored).toMatchObject({ strategy: 'ctc-prefix-beam-ngrams-rescored', difference: -0.1, met: false });
  });

  it.each([
    ['ctcPrefixBeam', 'ctc-prefix-beam', 'ctc-greedy', 0],
    ['maskPredict4', 'mask-predict-4-searched-hints-lengths-5-weighted', 'greedy', -0.7],
    ['maskPredict4BestPath', 'mask-predict-4-lengths-5-weighted', 'greedy', -0.7],
    ['maskPredict10', 'mask-predict-10-searched-hints-lengths-5-weighted', 'greedy', -0.3],
    ['levenshtein', 'levenshtein-searched-hints', 'greedy', -1],
    ['levenshteinBestPath', 'levenshtein', 'greedy', -1],
  ])('%s is met exactly from its aim on', (name, own, baseline, aim) => {
    const with_ = (difference: number) => targetsOf(rowsByName([figures(own, 30 + difference), figures(baseline, 30)]));
    expect(with_(aim)[name]).toMatchObject({ met: true, difference: aim, aim });
    expect(with_(aim - 0.01)[name]).toMatchObject({ met: false });
  });

  it('says nothing of what was not measured', () => {
    expect(targetsOf(rowsByName([figures('ctc-greedy', 30)]))).toEqual({});
    expect(remediesOf(rowsByName([]))).toEqual([]);
    expect(distillationOf(rowsByName([]))).toEqual({});
  });
});
