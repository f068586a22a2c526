import { readFile } from 'node:fs/promises';
import type { ScoreProcessor } from '@foretoken/core';
import {
  scoreProcessors,
  type Truncation,
  truncateEpsilon,
  truncateEta,
  truncateMinP,
  truncateTopK,
  truncateTopP,
  truncateTypical,
} from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';

/** Written by apps/distill/make_processor_goldens.py with Hugging Face transformers. */
interface Case {
  readonly class: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputIds: readonly number[];
  /** null is -Infinity. */
  readonly outputs: readonly (readonly (number | null)[])[];
}

interface Goldens {
  readonly startTokenId: number;
  readonly endTokenId: number;
  readonly scores: readonly number[][];
  readonly cases: readonly Case[];
}

const goldens = JSON.parse(
  await readFile(new URL('goldens/score-processors.json', import.meta.url), 'utf8'),
) as Goldens;

/** The last score vector has ties at the cut, where Hugging Face keeps other tokens than we do. */
const TIES = goldens.scores.length - 1;
const TIES_DIFFER = ['TopKLogitsWarper', 'TopPLogitsWarper', 'TypicalLogitsWarper'];

const truncating =
  (truncation: Truncation): ScoreProcessor =>
  (scores) =>
    truncation(scores);

function processorOf({ class: name, options }: Case): ScoreProcessor {
  const number = (key: string): number => Number(options[key]);
  const sequences = (key: string): Int32Array[] => (options[key] as number[][]).map((ids) => Int32Array.from(ids));
  switch (name) {
    case 'TemperatureLogitsWarper':
      return truncating((scores) => void scores.set(scores.map((score) => score / number('temperature'))));
    case 'TopKLogitsWarper':
      return truncating((scores) => truncateTopK(scores, number('top_k')));
    case 'TopPLogitsWarper':
      return truncating((scores) => truncateTopP(scores, number('top_p')));
    case 'MinPLogitsWarper':
      return truncating((scores) => truncateMinP(scores, number('min_p')));
    case 'TypicalLogitsWarper':
      return truncating((scores) => truncateTypical(scores, number('mass')));
    case 'EpsilonLogitsWarper':
      return truncating((scores) => truncateEpsilon(scores, number('epsilon')));
    case 'EtaLogitsWarper':
      return truncating((scores) => truncateEta(scores, number('epsilon')));
    case 'RepetitionPenaltyLogitsProcessor':
      return scoreProcessors.repetitionPenalty(number('penalty'));
    case 'NoRepeatNGramLogitsProcessor':
      return scoreProcessors.noRepeatNgram(number('ngram_size'));
    case 'NoBadWordsLogitsProcessor':
      return scoreProcessors.badWords(sequences('bad_words_ids'));
    case 'SequenceBiasLogitsProcessor':
      return scoreProcessors.logitBias(
        new Map((options.sequence_bias as [[number], number][]).map(([[tokenId], bias]) => [tokenId, bias])),
      );
    case 'MinNewTokensLengthLogitsProcessor':
      return scoreProcessors.minNewTokens(number('min_new_tokens'), number('eos_token_id'));
    default:
      throw new Error(`no processor for ${name}`);
  }
}

describe('score processors and truncations against Hugging Face', () => {
  for (const [index, golden] of goldens.cases.entries()) {
    it(`${golden.class} ${JSON.stringify(golden.options)}, case ${index}`, () => {
      const [start, ...output] = golden.inputIds;
      const context = { row: 0, prefix: Int32Array.of(start), output };
      for (const [vector, values] of goldens.scores.entries()) {
        const scores = Float32Array.from(values);
        processorOf(golden)(scores, context);
        const expected = golden.outputs[vector] as (number | null)[];
        if (vector === TIES && TIES_DIFFER.includes(golden.class)) {
          // As many tokens of each score are not comparable, but no token below the cut may survive.
          const min = Math.min(...expected.filter((score) => score !== null));
          for (const score of scores) if (score !== Number.NEGATIVE_INFINITY) expect(score).toBeGreaterThanOrEqual(min);
          continue;
        }
        for (const [tokenId, score] of expected.entries()) {
          if (score === null) expect(scores[tokenId]).toBe(Number.NEGATIVE_INFINITY);
          else expect(scores[tokenId]).toBeCloseTo(score, 5);
        }
      }
    });
  }
});
