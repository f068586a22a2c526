import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { logSoftmax, randomLogits, scriptedModel } from '@foretoken/testkit';

export const END = 0;
export const SOURCE = Int32Array.of(3);
const VOCABULARY = 4;
export const LIMIT = 5;

export type Score = (source: Int32Array, output: readonly number[]) => ArrayLike<number>;

/** Rules that may make a hypothesis more probable as it grows, and rules that may not. */
export const RULES: readonly BeamSearchOptions[] = [
  {},
  { logitBias: { 2: 2 } },
  { logitBias: { 1: -2, 3: 0.5 } },
  { logitBias: { 0: -3 } },
  { frequencyPenalty: -0.7 },
  { presencePenalty: -1.5 },
  { frequencyPenalty: 0.5, presencePenalty: -1 },
  { repetitionPenalty: 0.5 },
  { repetitionPenalty: 0.5, logitBias: { 3: 1 } },
  { repetitionPenalty: 1.7 },
  {
    processors: [
      (scores, { output }) => {
        scores[1 + (output.length % 3)] += 1;
      },
    ],
  },
  {
    processors: [
      (scores, { output }) => {
        if (output.at(-1) === 3) for (const [id, score] of scores.entries()) scores[id] = score / 8 + 0.3;
      },
    ],
  },
];

/** The log-probabilities of what may follow, after the rules, straight from their definitions. */
export function ruled(score: Score, output: readonly number[], options: BeamSearchOptions): Float32Array {
  const scores = logSoftmax(score(SOURCE, output));
  for (const [id, bias] of Object.entries(options.logitBias ?? {})) scores[Number(id)] += bias as number;
  const { repetitionPenalty: penalty = 1, frequencyPenalty = 0, presencePenalty = 0 } = options;
  for (const id of penalty === 1 ? [] : new Set([1, ...output])) scores[id] *= scores[id] < 0 ? penalty : 1 / penalty;
  for (const id of frequencyPenalty === 0 && presencePenalty === 0 ? [] : new Set(output)) {
    scores[id] -= frequencyPenalty * output.filter((other) => other === id).length + presencePenalty;
  }
  const context = { row: 0, prefix: Int32Array.of(1), output };
  for (const rule of options.processors ?? []) rule(scores, context);
  return scores;
}

interface Hypothesis {
  readonly output: readonly number[];
  readonly logProb: number;
}

export interface Scored extends Hypothesis {
  readonly score: number;
}

export interface Beam {
  readonly running: readonly Hypothesis[];
  readonly finished: readonly Scored[];
  /** Tokens that the last step took. */
  readonly taken: readonly number[];
}

export const EMPTY: Beam = { running: [{ output: [], logProb: 0 }], finished: [], taken: [] };

/** A step of one beam, written out with arrays; `against` is held against a token when it is chosen. */
export function referenceStep(
  score: Score,
  options: BeamSearchOptions,
  beam: Beam,
  against: (id: number) => number = () => 0,
): Beam {
  const { beamSize = 4, lengthPenalty = 1 } = options;
  const candidates = beam.running
    .flatMap(({ output, logProb }) =>
      Array.from(ruled(score, output, options), (step, id) => ({ output, id, logProb: Math.fround(logProb + step) })),
    )
    .filter(({ logProb }) => logProb > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.logProb - against(b.id) - (a.logProb - against(a.id)))
    .slice(0, 2 * beamSize);
  const running: Hypothesis[] = [];
  const taken: number[] = [];
  let finished = [...beam.finished];
  for (const [rank, { output, id, logProb }] of candidates.entries()) {
    const grown = id === END ? output : [...output, id];
    if (id !== END && grown.length < LIMIT) {
      if (running.length === beamSize) continue;
      running.push({ output: grown, logProb });
    } else if (rank < beamSize) {
      finished.push({ output: grown, logProb, score: logProb / (output.length + 1) ** lengthPenalty });
      finished = finished.sort((a, b) => b.score - a.score).slice(0, beamSize);
    } else continue;
    taken.push(id);
  }
  return { running, finished, taken };
}

/** One beam; it never stops before the limit unless told that it may. */
export function referenceBeam(
  score: Score,
  options: BeamSearchOptions,
  stop: (finished: readonly Scored[], running: readonly Hypothesis[]) => boolean,
): readonly Scored[] {
  let beam = EMPTY;
  while (beam.running.length > 0) {
    beam = referenceStep(score, options, beam);
    const full = beam.finished.length === (options.beamSize ?? 4);
    if (full && beam.running.length > 0 && stop(beam.finished, beam.running)) break;
  }
  return beam.finished;
}

export const scoreOf = (seed: number): Score =>
  randomLogits({
    seed,
    vocabularySize: VOCABULARY,
    endTokenId: END,
    typicalLength: 3 + 3 * (seed % 2),
    sharpness: 1 + (Math.floor(seed / 7) % 4),
  });

export const PENALTIES = [0, 1, -1, 0.6, 2];

export async function search(score: Score, options: BeamSearchOptions, vocabularySize: number = VOCABULARY) {
  const padding = new Array<number>(vocabularySize - VOCABULARY).fill(Number.NEGATIVE_INFINITY);
  const model = scriptedModel({
    vocabularySize,
    score: (source, output) => [...Array.from(score(source, output)), ...padding],
  });
  const { results } = await collect(beamSearch(options).decode(model, { sources: [SOURCE], maxNewTokens: LIMIT }));
  return results[0].hypotheses.map(({ tokenIds, score: ranked = Number.NaN }) => ({ output: [...tokenIds], ranked }));
}
