import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { type GreedyOptions, greedy } from '@foretoken/greedy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';

/** Written by apps/distill/make_search_goldens.py on the shipped model's weights; option names are the other library's. */
interface Run {
  readonly engine: 'huggingFace' | 'ctranslate2';
  readonly options: Readonly<Record<string, number | boolean | string>>;
  readonly tokenIds: readonly (readonly number[][])[];
  readonly scores: readonly (readonly number[])[] | null;
}

interface Goldens {
  readonly sources: readonly number[][];
  readonly runs: readonly Run[];
}

const MODEL = fileURLToPath(new URL('../../model-multi30k-en-de/model', import.meta.url));
const GOLDENS = JSON.parse(
  await readFile(new URL('goldens/multi30k-en-de-search.json', import.meta.url), 'utf8'),
) as Goldens;

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel(MODEL, { probe: false });
});
afterAll(() => model[Symbol.asyncDispose]());

type Target = AutoregressiveModel<TokenSource>;

const optional = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value));

/** The same search, in our words. */
function decoderOf({ engine, options }: Run): Decoder<Target> {
  const rules: GreedyOptions = {
    noRepeatNgramSize: optional(options.no_repeat_ngram_size),
    repetitionPenalty: optional(options.repetition_penalty),
  };
  if (options.num_beams === 1) return greedy(rules);
  const beamSize = Number(options.num_beams ?? options.beam_size);
  const stopWhen: BeamSearchOptions['stopWhen'] =
    engine === 'ctranslate2' || options.early_stopping === true
      ? 'full'
      : options.early_stopping === 'never'
        ? 'improvement-impossible'
        : 'improvement-unlikely';
  return beamSearch({
    ...rules,
    beamSize,
    hypotheses: beamSize,
    stopWhen,
    lengthPenalty: Number(options.length_penalty),
    patience: Number(options.patience ?? 1),
  });
}

interface Comparison {
  readonly sentences: number;
  /** Sentences with the same best hypothesis, and with the same list in the same order. */
  readonly sameBest: number;
  readonly sameList: number;
  /** Largest difference between scores of equal hypotheses. */
  readonly scoreError: number;
  /** For each sentence with another best hypothesis: how far apart the other library has the two. */
  readonly margins: readonly number[];
}

async function compare(run: Run): Promise<Comparison> {
  const decoder = decoderOf(run);
  const target = model.part('autoregressive');
  const minNewTokens = Number(run.options.min_new_tokens ?? 0);
  let [sameBest, sameList, scoreError] = [0, 0, 0];
  const margins: number[] = [];
  for (const [sentence, expected] of run.tokenIds.entries()) {
    const sources = [Int32Array.from(GOLDENS.sources[sentence])];
    const { results } = await collect(decoder.decode(target, { sources, minNewTokens, maxNewTokens: 99 }));
    const found = results[0]?.hypotheses;
    const keys = found.map(({ tokenIds }) => tokenIds.join());
    const expectedKeys = expected.map((tokenIds) => tokenIds.join());
    if (keys.join(';') === expectedKeys.join(';')) sameList++;
    const scores = run.scores?.[sentence] ?? [];
    if (keys[0] === expectedKeys[0]) sameBest++;
    else {
      const rank = expectedKeys.indexOf(keys[0]);
      margins.push(rank < 0 ? Number.POSITIVE_INFINITY : scores[0] - scores[rank]);
    }
    for (const [rank, key] of keys.entries()) {
      const score = scores[expectedKeys.indexOf(key)];
      if (score !== undefined) scoreError = Math.max(scoreError, Math.abs((found[rank]?.score as number) - score));
    }
  }
  return { sentences: run.tokenIds.length, sameBest, sameList, scoreError, margins };
}

const titleOf = ({ engine, options }: Run): string =>
  `${engine} ${Object.entries(options)
    .filter(
      ([key]) =>
        !['do_sample', 'max_length', 'max_decoding_length', 'num_return_sequences', 'num_hypotheses'].includes(key),
    )
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')}`;

describe('search on the shipped model against other libraries on the same weights, fp32 on CPU', () => {
  for (const run of GOLDENS.runs) {
    it(titleOf(run), async () => {
      const { sentences, sameBest, sameList, scoreError, margins } = await compare(run);
      expect(sentences).toBeGreaterThanOrEqual(60);
      expect(sameBest / sentences).toBeGreaterThanOrEqual(0.995);
      // Neighbours in a list may change places where their scores are equal to rounding.
      expect(sameList / sentences).toBeGreaterThanOrEqual(0.98);
      for (const margin of margins) expect(margin).toBeLessThan(1e-5);
      expect(scoreError).toBeLessThan(1e-4);
    });
  }
});
