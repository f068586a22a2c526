import { readFileSync } from 'node:fs';
import { type CtcLattice, collect, type Hypothesis } from '@foretoken/core';
import { logSumExp } from '@foretoken/core/kit';
import { readArpa, wordLanguageModel } from '@foretoken/language-models';
import { type CtcPrefixBeamOptions, ctcPrefixBeam } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import { latticesModel } from './ctc-oracle.js';

/** A text, its natural-log probability in the lattice, and its score with everything. */
type Golden = readonly [string, number, number];

interface Case {
  /** Natural log, `[frames][labels]`. */
  readonly scores: readonly (readonly number[])[];
  readonly nBest: readonly Golden[];
}

interface Goldens {
  readonly arpa: string;
  readonly sentences: readonly { readonly text: string; readonly log10: readonly number[] }[];
  readonly blank: number;
  readonly letters: { readonly labels: readonly string[]; readonly cases: readonly Case[] };
  readonly pieces: {
    readonly labels: readonly string[];
    readonly cases: readonly (Case & {
      readonly alpha: number;
      readonly beta: number;
      readonly unknownLog10: number;
    })[];
  };
  readonly words: {
    readonly labels: readonly string[];
    readonly cases: readonly (Case & { readonly hotWords: readonly string[]; readonly weight: number })[];
  };
}

const goldens: Goldens = JSON.parse(readFileSync(new URL('goldens/ctc.json', import.meta.url), 'utf8'));

/** Every label of every frame as a candidate; what is as good as impossible is. */
function wholeLattice(scores: Case['scores'], blankId: number): CtcLattice {
  const k = scores[0]?.length ?? 0;
  return {
    kind: 'ctc',
    frames: scores.length,
    k,
    blankId,
    tokenIds: Int32Array.from(scores.flatMap((row) => row.map((_, label) => label))),
    logProbs: Float32Array.from(scores.flat(), (score) => (score < -1e5 ? Number.NEGATIVE_INFINITY : score)),
    blankLogProbs: Float32Array.from(scores, (row) => row[blankId]),
  };
}

/** Texts as pyctcdecode reads them: outputs that differ in spaces alone are one. */
async function texts(
  { scores }: Case,
  labels: readonly string[],
  options: CtcPrefixBeamOptions<Int32Array>,
): Promise<Golden[]> {
  const decoder = ctcPrefixBeam({ candidates: 1, beamSize: 4096, hypotheses: 4096, ...options });
  const model = latticesModel([wholeLattice(scores, goldens.blank)], labels.length);
  const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1)] }));
  const byText = new Map<string, Hypothesis[]>();
  for (const hypothesis of results[0]?.hypotheses ?? []) {
    const said = Array.from(hypothesis.tokenIds, (tokenId) => textOf(labels[tokenId])).join('');
    const text = said.split(' ').filter(Boolean).join(' ');
    byText.set(text, [...(byText.get(text) ?? []), hypothesis]);
  }
  return [...byText]
    .map(([text, found]): Golden => {
      const logProb = logSumExp(found.map((hypothesis) => hypothesis.logProb as number));
      const [{ score, logProb: own }] = found as [Hypothesis];
      return [text, logProb, logProb + (score as number) - (own as number)];
    })
    .sort((a, b) => b[2] - a[2]);
}

const textOf = (label: string): string => label.replace('▁', ' ');

function expectNBest(found: readonly Golden[], nBest: readonly Golden[]): void {
  expect(nBest.length).toBeGreaterThan(1);
  expect(found.slice(0, nBest.length).map(([text]) => text)).toEqual(nBest.map(([text]) => text));
  for (const [index, [, logProb, score]] of nBest.entries()) {
    expect(found[index]?.[1]).toBeCloseTo(logProb, 4);
    expect(found[index]?.[2]).toBeCloseTo(score, 4);
  }
}

describe('readArpa', () => {
  it('scores sentences as KenLM does', () => {
    const model = readArpa(goldens.arpa);
    expect(model.order).toBe(4);
    for (const { text, log10 } of goldens.sentences) {
      let state = model.start;
      const scores = text.split(' ').flatMap((word) => {
        if (word === '') return [];
        const logProb = model.logProb(state, model.indexOf(word));
        state = model.next(state, model.indexOf(word));
        return [logProb];
      });
      const found = [...scores, model.end(state)].map((logProb) => logProb / Math.LN10);
      expect(found.length).toBe(log10.length);
      for (const [index, score] of log10.entries()) expect(found[index]).toBeCloseTo(score, 5);
    }
  });
});

describe('ctcPrefixBeam', () => {
  it.each(goldens.letters.cases.map((golden) => [golden.scores.length, golden] as const))(
    'finds in %i frames what pyctcdecode finds',
    async (_, golden) => {
      expectNBest(await texts(golden, goldens.letters.labels, {}), golden.nBest);
    },
  );

  it.each(goldens.pieces.cases.map((golden) => [golden.alpha, golden.beta, golden] as const))(
    'fuses words with weight %f and bonus %f as pyctcdecode does',
    async (alpha, beta, golden) => {
      const { labels } = goldens.pieces;
      const languageModel = wordLanguageModel(readArpa(goldens.arpa), {
        textOf: (tokenId) => textOf(labels[tokenId]),
        wordBonus: beta / alpha,
        unknownWordBonus: golden.unknownLog10 * Math.LN10,
      });
      const found = await texts(golden, labels, { languageModel: { model: languageModel, weight: alpha } });
      // pyctcdecode takes the empty text for an unknown word.
      const some = ([text]: Golden): boolean => text !== '';
      expectNBest(found.filter(some), golden.nBest.filter(some));
    },
  );

  it.each(goldens.words.cases.map((golden) => [golden.hotWords.join(' and '), golden] as const))(
    'prefers %s as pyctcdecode does',
    async (_, golden) => {
      const { labels } = goldens.words;
      const hotWords = golden.hotWords.map((word) => ({
        tokenIds: [labels.indexOf(`▁${word}`)],
        bonus: golden.weight,
      }));
      expectNBest(await texts(golden, labels, { hotWords }), golden.nBest);
    },
  );
});
